import { type Operation, OpspawnError } from "@opspawn/contract";

/**
 * The server's address in one form: no trailing slash, and without a `/v1` at its end, which the original clients'
 * settings carry.
 * @throws OpspawnError `invalid_request`
 */
export function normalBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new OpspawnError("invalid_request", `"${text}" is no http or https address, such as http://127.0.0.1:8000`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new OpspawnError("invalid_request", "Leave user name and password out of the address; send a key instead");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}`;
}

function pathSegment(name: string, value: unknown): string {
  const text = String(value ?? "");
  // An empty segment names the list instead of its item, and dots another path altogether.
  if (text === "" || text === "." || text === "..") {
    throw new OpspawnError("invalid_request", `\`${name}\` must be an id, not "${text}"`);
  }
  return encodeURIComponent(text);
}

/** An operation's path with its parameters filled in, and its query; absent values are left out. */
export function requestPath(operation: Operation, params: object, query: object): string {
  const values = new Map<string, unknown>(Object.entries(params));
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, values.get(name)));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search}`;
}
