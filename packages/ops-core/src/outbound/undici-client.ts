import { createRequire } from "node:module";
import type { Client } from "undici";

/**
 * undici's client alone. The whole package has a cache, mocks, WebSockets and a `fetch` beside it: with those a server
 * that does nothing takes 5 MB more, and starts later.
 */
export const UndiciClient = createRequire(import.meta.url)("undici/lib/dispatcher/client.js") as typeof Client;
