/**
 * Whether the originals read a body as JSON: no content type, `application/json`, and any `application/*+json`.
 * Anything else leaves the body a text, which no schema of theirs accepts.
 */
export function isJsonContentType(header: string | undefined): boolean {
  if (header === undefined || header === "application/json" || header === "") return true;
  const type = header.split(";")[0]?.trim().toLowerCase() ?? "";
  return type === "application/json" || /^application\/[^/]*\+json$/.test(type);
}
