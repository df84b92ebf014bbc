import { OpspawnError } from "@opspawn/contract";
import type { Cancellation } from "../../domain/cancellations/cancellation.ts";
import type { CancellationStore } from "../../domain/cancellations/cancellation-store.ts";
import { leaseLost } from "../../domain/cancellations/lease-lost.ts";
import { noteAlive } from "./agent-lease.ts";
import { type CancellationRow, cancellationOf, toCancellation } from "./cancellation-row.ts";
import { confirm, tellAgent } from "./cancellations.ts";
import { isOpen } from "./ending.ts";
import { findByToken } from "./outcomes.ts";
import { decodeCursor, toPage } from "./paging.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";

/** Of a session and of all within it. */
const BELOW = `with recursive below (id) as (select :session
    union all select s.id from below join sessions s on s.parent_id = below.id)
  select c.* from below join cancellations c on c.session_id = below.id
  where (:cursor is null or c.id > :cursor) order by c.id limit :limit`;

export function cancellationStore({ db, writer, tx: context }: SqliteContext): CancellationStore {
  return {
    confirm: (taskId, token, receipt) =>
      writer.submit("outcome", (tx) => {
        const row = cancelledUnder(tx, taskId, token);
        return toCancellation(confirm(tx, row, receipt));
      }),
    tell: async (agentId) => {
      // Nearly always nothing is read at all.
      if (!context.agents.cancelling.has(agentId)) return { told: [], isNews: false };
      return writer.submit("outcome", (tx) => tellAgent(tx, agentId));
    },
    ofTask: async (taskId) =>
      db.all<CancellationRow>("select * from cancellations where task_id = ? order by n", taskId).map(toCancellation),
    ofSession: async (sessionId, page) => {
      const cursor = page.cursor === undefined ? null : (decodeCursor(page.cursor, 1)[0] ?? null);
      const rows = db.all<CancellationRow>(BELOW, { session: sessionId, cursor, limit: page.limit + 1 });
      return toPage<CancellationRow, Cancellation>(rows, page, toCancellation, (row) => [row.id]);
    },
  };
}

/** @throws OpspawnError `task_not_found`, `lease_lost` for a token never issued, `not_cancelled` */
function cancelledUnder(tx: Tx, taskId: string, token: string): CancellationRow {
  const { task, attempt } = findByToken(tx, taskId, token);
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (agent !== undefined) noteAlive(tx, agent);
  const row = cancellationOf(tx, taskId, attempt.n);
  if (row !== undefined) return row;
  if (!isOpen(attempt)) throw leaseLost(`Attempt ${attempt.n} of ${task.id} is ${attempt.status}.`, null);
  throw new OpspawnError("not_cancelled", `Attempt ${attempt.n} of ${task.id} was not cancelled; go on with it.`);
}
