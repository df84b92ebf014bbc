#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// Compiled code is kept beside the sources, where only those may write who could change them too: the next start takes
// half the time, and a fifth less memory. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` none.
enableCompileCache(fileURLToPath(new URL("../.cache/compiled", import.meta.url)));

const { main } = await import("./command.ts");
await main(process.argv.slice(2));
// Now, because a process that is killed writes nothing at its end.
flushCompileCache();
