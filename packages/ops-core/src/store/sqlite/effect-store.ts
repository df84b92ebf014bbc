import { OpspawnError } from "@opspawn/contract";
import type { EffectStore } from "../../domain/effects/effect-store.ts";
import { type EffectRow, toEffect } from "./effect-row.ts";
import { intendEffect, receiveReceipt } from "./effects.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import type { SqliteContext } from "./store.ts";

export function effectStore({ db, writer }: SqliteContext): EffectStore {
  return {
    intend: async (taskId, token, intent) => {
      const answer = await writer.submit("outcome", (tx) => intendEffect(tx, taskId, token, intent));
      if (answer instanceof OpspawnError) throw answer;
      return answer;
    },
    receipt: (taskId, token, effectId, receipt) =>
      writer.submit("outcome", (tx) => toEffect(receiveReceipt(tx, taskId, token, effectId, receipt))),
    ofTask: async (taskId) =>
      db.all<EffectRow>("select * from effects where task_id = ? order by n", taskId).map(toEffect),
    list: async (page, { status, session }) => {
      const where = new Where();
      // As written here it finds the index of those.
      if (status === "intended") where.add("status = 'intended'");
      else if (status !== undefined) where.add("status = ?", status);
      if (session !== undefined) where.add("session_id = ?", session);
      if (page.cursor !== undefined) where.add("n < ?", ...decodeCursor(page.cursor, 1));
      const sql = `select * from effects ${where.sql} order by n desc limit ?`;
      const rows = db.all<EffectRow>(sql, ...where.values, page.limit + 1);
      return toPage(rows, page, toEffect, ({ n }) => [n]);
    },
  };
}
