import type { JsonObject } from "@opspawn/contract";
import type { Rows } from "./evidence.ts";

/** The tasks of each session's definition, as they were written. */
export function definedTasks(db: Rows): Map<string, readonly JsonObject[]> {
  const documents = new Map(
    db
      .all<{ hash: string; document: string }>("select hash, document from definitions")
      .map(({ hash, document }) => [hash, (JSON.parse(document) as { tasks: JsonObject[] }).tasks]),
  );
  const sessions = db.all<{ id: string; hash: string }>("select id, plan_hash as hash from sessions");
  return new Map(sessions.map(({ id, hash }) => [id, documents.get(hash) ?? []]));
}
