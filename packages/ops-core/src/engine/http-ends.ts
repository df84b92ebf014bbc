import type { HttpResult } from "../domain/http-client.ts";

/** The exchange was cut off because this process stops: it says nothing about the other side. */
export function isShutdown(result: HttpResult): boolean {
  return (result.kind === "unsent" || result.kind === "broken") && result.error.code === "shutdown";
}

/** The request itself is wrong, and will be the next time. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}
