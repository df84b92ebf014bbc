/** Why a text is no http(s) URL: the parts of a 422 item that depend on it. */
export type UrlFault =
  | { readonly type: "url_parsing"; readonly reason: string }
  | { readonly type: "url_scheme" }
  | { readonly type: "url_too_long" };

/** Bytes of UTF-8, before normalisation. */
export const MAX_URL_BYTES = 2083;

/**
 * Normalises an endpoint as the originals stored it (WHATWG rules: `http://h` becomes `http://h/`), or says what is
 * wrong with it in their words.
 */
export function parseEndpointUrl(text: string): { readonly href: string } | UrlFault {
  if (new TextEncoder().encode(text).length > MAX_URL_BYTES) return { type: "url_too_long" };
  const url = URL.parse(text);
  if (url === null) return { type: "url_parsing", reason: reasonOf(text) };
  if (url.protocol !== "http:" && url.protocol !== "https:") return { type: "url_scheme" };
  return { href: url.href };
}

/** Finds the part that `new URL` refused; it only says that it did. */
function reasonOf(text: string): string {
  if (text === "") return "input is empty";
  // The URL standard drops these before it looks.
  const url = text.replace(/^[\0- ]+|[\0- ]+$/g, "").replace(/[\t\n\r]/g, "");
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0];
  if (scheme === undefined) return "relative URL without a base";
  const authority = /^[^/\\?#]*/.exec(url.slice(scheme.length).replace(/^[/\\]*/, ""))?.[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("["))
    return URL.canParse(`http://${ipv6(host)}`) ? "invalid port number" : "invalid IPv6 address";
  const name = host.split(":")[0] ?? "";
  if (name === "") return "empty host";
  if (URL.canParse(`http://${name}`)) return "invalid port number";
  return endsInNumber(name) ? "invalid IPv4 address" : "invalid international domain name";
}

function ipv6(host: string): string {
  return /^\[[^\]]*\](?=:)/.exec(host)?.[0] ?? host;
}

/** Such a host is an IPv4 address to the URL standard, whether it is a valid one or not. */
function endsInNumber(name: string): boolean {
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(name);
}
