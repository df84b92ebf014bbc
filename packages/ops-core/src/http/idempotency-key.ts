import { OpspawnError } from "@opspawn/contract";

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Reads an `Idempotency-Key` header: at most 255 visible ASCII characters. @throws OpspawnError `invalid_request` */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && KEY.test(header)) return header;
  const msg = "must be 1 to 255 visible ASCII characters";
  const issue = { loc: ["header", "idempotency-key"], msg, type: "value_error" };
  throw new OpspawnError("invalid_request", `Idempotency-Key: ${msg}`, { issues: [issue] });
}
