/** The key a caller presents, or why there is none to look at. */
export type Bearer = { readonly key: string } | { readonly refused: string };

/**
 * Reads an `Authorization` header by Ops-Core's rule: the scheme in any case, one blank, then the key to the last
 * character. Nothing is trimmed. `refused` is the `detail` of the 401; a wrong key is refused as `INVALID_KEY` too.
 */
export function readBearer(header: string | undefined): Bearer {
  if (header === undefined) return { refused: "Authorization header missing" };
  const blank = header.indexOf(" ");
  if (blank === -1 || header.slice(0, blank).toLowerCase() !== "bearer") return { refused: INVALID_KEY };
  return { key: header.slice(blank + 1) };
}

export const INVALID_KEY = "Invalid authentication credentials";
