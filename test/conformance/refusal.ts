import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ERRORS } from "@opspawn/contract";
import type { WireAnswer } from "./wire.ts";

/** The error is one of the catalogue, in the form of its route, and says nothing of our inside. */
export function assertRefused(answer: WireAnswer, isOriginal: boolean, codes?: readonly string[]): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text.slice(0, 500)}`);
  const code = String(answer.headers["x-error-code"]);
  assert.ok(code in ERRORS && code !== "internal", code);
  if (codes !== undefined) assert.ok(codes.includes(code), `${code}: ${answer.text.slice(0, 500)}`);
  assert.equal(answer.headers["content-type"], "application/json");
  const body = answer.json as { detail: unknown; code?: unknown; requestId?: unknown };
  const keys = isOriginal ? ["detail"] : ["detail", "code", "requestId"];
  assert.deepEqual(Object.keys(body), keys);
  assert.ok(Array.isArray(body.detail) === (answer.status === 422), answer.text.slice(0, 500));
  if (!isOriginal) assert.deepEqual([body.code, body.requestId], [code, answer.headers["x-request-id"]]);
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|\bat [\w.]+ \(/);
}

/** What is stored in each table: its rows' number and digest, but for what every start of a process writes. */
export function storedIn(folder: string): Record<string, string> {
  const db = new DatabaseSync(join(folder, "opspawn.db"), { readOnly: true });
  const tables = db.prepare("select name from sqlite_master where type = 'table' and name <> 'instances'").all();
  const digests = tables.map(({ name }) => {
    const rows = db.prepare(`select * from "${name}" where ${name === "meta" ? "key <> 'judged_at'" : "true"}`).all();
    const text = rows.map((row) => JSON.stringify(row)).sort();
    return [String(name), `${rows.length} ${createHash("sha256").update(text.join("\n")).digest("hex").slice(0, 16)}`];
  });
  db.close();
  return Object.fromEntries(digests);
}
