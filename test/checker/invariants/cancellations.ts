import {
  ACKNOWLEDGE_WITHIN,
  DELIVER_WITHIN,
  STOP_WITHIN_MIN,
} from "../../../packages/ops-core/src/domain/cancellations/deadlines.ts";
import { entriesOf } from "../entries.ts";
import type { Rows } from "../evidence.ts";
import type { Fact, History } from "../history.ts";
import type { Invariant } from "../invariant.ts";

const nothingBelowIsOpen: Invariant = {
  number: "15",
  name: "what belongs to a session that was cancelled has ended with it",
  needs: [],
  *check({ db }) {
    yield* db.texts(`with recursive below (id) as (select id from sessions where status = 'cancelled'
        union select s.id from below join sessions s on s.parent_id = below.id)
      select 'session ' || s.id || ' is ' || s.status || ' below one that was cancelled' from below
        join sessions s on s.id = below.id where s.ended_at is null and s.undo_total is null`);
    yield* db.texts(`select 'task ' || t.id || ' is ' || t.status || ', its session was cancelled' from tasks t
      join sessions s on s.id = t.session_id where s.status = 'cancelled' and t.ended_at is null`);
  },
};

const whoeverIsAtItIsToStop: Invariant = {
  number: "15",
  name: "an attempt that was cancelled has a cancellation, and what has stopped holds no slot",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'attempt ' || a.task_id || '/' || a.n || ' was cancelled, and nobody is to stop it'
      from attempts a where a.status = 'cancelled' and not exists
      (select 1 from cancellations c where c.task_id = a.task_id and c.n = a.n)`);
    yield* db.texts(`select 'attempt ' || c.task_id || '/' || c.n || ' has stopped and keeps its slot' from cancellations c
      join draining_slots d on d.task_id = c.task_id and d.n = c.n where c.stage in ('stopped', 'finished')`);
  },
};

const SHORTEST: Readonly<Record<string, number>> = {
  requested: DELIVER_WITHIN,
  delivered: ACKNOWLEDGE_WITHIN,
  acknowledged: STOP_WITHIN_MIN,
};
const BEGINS: Readonly<Record<string, string>> = {
  "cancellation.requested": "requested",
  "cancellation.delivered": "delivered",
  "cancellation.acknowledged": "acknowledged",
};
/** What is said where a stage's time has passed; else something else ended it. */
const TIMED = /could not be told in time|did not answer in time|did not say that it has/;

const stagesHaveTheirTime: Invariant = {
  number: "15",
  name: "each stage of a cancellation has its time, no less, and each cancellation ends",
  needs: [],
  *check({ db, history, isDrained }) {
    for (const facts of cancellationsIn(history).values()) yield* hasty(facts);
    if (!isDrained) return;
    yield* db.texts(`select 'cancellation ' || id || ' is still ' || stage from cancellations
      where ended_at is null and coalesce(wake_at, 0) <= (select max(at) from events)`);
  },
};

function* hasty(facts: readonly Fact[]): Iterable<string> {
  let since = 0;
  let stage = "";
  for (const { type, at, data } of facts) {
    const begins = BEGINS[type];
    if (begins !== undefined) [stage, since] = [begins, at];
    const isTimed = type === "cancellation.unreachable" && TIMED.test(String(data.note));
    const least = SHORTEST[stage] ?? 0;
    if (isTimed && at - since < least)
      yield `cancellation ${data.cancellationId} was given up ${least - at + since} us early`;
  }
}

function cancellationsIn(history: History): Map<string, Fact[]> {
  const found = new Map<string, Fact[]>();
  for (const facts of history.streams.values()) {
    for (const fact of facts) {
      if (!fact.type.startsWith("cancellation.")) continue;
      const id = String(fact.data.cancellationId);
      const known = found.get(id);
      if (known === undefined) found.set(id, [fact]);
      else known.push(fact);
    }
  }
  return found;
}

interface CancellationRow {
  readonly id: string;
  readonly token: string;
  readonly stage: string;
  readonly evidence: string | null;
}

const CANCELLATIONS_BY_TOKEN = `select c.id, c.stage, c.evidence, a.token from cancellations c
  join attempts a on a.task_id = c.task_id and a.n = c.n`;
/** What is known after a word, or something that says more. */
const AFTER: Readonly<Record<string, readonly string[]>> = {
  acknowledged: ["acknowledged", "stopped", "finished", "refused", "unreachable"],
  refused: ["refused", "stopped", "finished"],
  stopped: ["stopped", "finished"],
};

const wordsAreBelieved: Invariant = {
  number: "15",
  name: "what an agent says of a cancellation is known, and nothing is that nobody said",
  needs: ["effects"],
  *check({ db, effects }) {
    const rows = new Map(db.all<CancellationRow>(CANCELLATIONS_BY_TOKEN).map((row) => [row.token, row]));
    const words = entriesOf(effects ?? [], "word");
    for (const { agent, task, token, status, isHeard } of words) {
      const row = rows.get(token);
      if (!isHeard || AFTER[status]?.includes(row?.stage ?? "") === true) continue;
      yield `${agent} said that ${task} is ${status}, and that is ${row?.stage ?? "unknown"}`;
    }
    const said = new Set(words.map(({ token, status }) => `${token} ${status}`));
    for (const { id, token, stage, evidence } of rows.values()) {
      const isWord = evidence === "receipt" || evidence === "answer";
      if (isWord && !said.has(`${token} ${stage}`)) yield `cancellation ${id} is ${stage}, and no agent said so`;
    }
  },
};

const lateResultsAreKnown: Invariant = {
  number: "15",
  name: "of work that was done nonetheless it is known that it was",
  needs: ["effects"],
  *check({ db, effects }) {
    const rows = new Map(db.all<CancellationRow>(CANCELLATIONS_BY_TOKEN).map((row) => [row.token, row]));
    for (const { agent, task, token, status, outcome } of entriesOf(effects ?? [], "reported")) {
      const row = rows.get(token);
      if (status !== 409 || row === undefined || row.stage === "finished") continue;
      // Who breaks off has stopped, too.
      if (outcome === "failed" && row.stage === "stopped") continue;
      yield `${agent} reported ${task} too late, and its cancellation is ${row.stage}`;
    }
  },
};

const undoingWaits: Invariant = {
  number: "15",
  name: "nothing is undone while it is waited for somebody to stop",
  needs: [],
  *check({ db, history }) {
    const cancellations = [...cancellationsIn(history).values()];
    for (const [id, facts] of history.streams) {
      const begun = facts.find(({ type }) => type === "session.compensating");
      if (begun === undefined) continue;
      const own = new Set(below(db, id));
      for (const course of cancellations) {
        const [first] = course;
        if (first === undefined || !own.has(first.stream) || first.at > begun.at) continue;
        const end = course.find(({ type }) => BEGINS[type] === undefined);
        // What one transition does it tells stream by stream: by the time one sees what came first.
        if (end === undefined || end.at > begun.at) {
          yield `session ${id} began to undo before cancellation ${first.data.cancellationId} had ended`;
        }
      }
    }
  },
};

function below(db: Rows, id: string): string[] {
  return db.texts(
    `with recursive below (id) as (select ? union all select s.id from below join sessions s on s.parent_id = below.id)
      select id from below`,
    id,
  );
}

/** What is cancelled stops, and who stops it says so. */
export const CANCELLATIONS: readonly Invariant[] = [
  nothingBelowIsOpen,
  whoeverIsAtItIsToStop,
  stagesHaveTheirTime,
  wordsAreBelieved,
  lateResultsAreKnown,
  undoingWaits,
];
