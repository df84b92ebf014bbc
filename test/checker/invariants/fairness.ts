import { parseTime } from "@opspawn/contract";
import { backoff } from "../../../packages/ops-core/src/domain/tasks/retry.ts";
import type { RetryPolicy } from "../../../packages/ops-core/src/domain/workflows/plan.ts";
import type { Evidence, Rows } from "../evidence.ts";
import type { Fact } from "../history.ts";
import { groupBy, type Invariant } from "../invariant.ts";

/** The longest wait after a try that never left, whatever the policy says. */
const UNDELIVERED_MAX = 30_000_000;
/** Codes under which an agent may say itself how long to wait. */
const ASKED_TO_WAIT = new Set(["http_429", "http_503"]);

const backoffWithinPolicy: Invariant = {
  number: "17",
  name: "a retry waits no longer than its policy allows, and without jitter as long as it says",
  needs: [],
  *check({ db, history }) {
    const policies = policiesOf(db);
    for (const facts of history.streams.values()) {
      for (const { type, data, at } of facts) {
        const policy = type === "task.retrying" ? policies.get(String(data.taskId)) : undefined;
        if (policy === undefined || ASKED_TO_WAIT.has(codeOf(data))) continue;
        const wait = (parseTime(String(data.readyAt)) ?? Number.POSITIVE_INFINITY) - at;
        const [least, most] = boundsOf(policy, String(data.reason), Number(data.used));
        if (wait < least || wait > most) {
          yield `task ${data.taskId} waits ${wait} us after its attempt ${data.used}; ${least} to ${most} are right`;
        }
      }
    }
  },
};

function policiesOf(db: Rows): Map<string, RetryPolicy> {
  const rows = db.all<{ id: string; policy: string }>("select id, policy from tasks");
  return new Map(rows.map(({ id, policy }) => [id, (JSON.parse(policy) as { retry: RetryPolicy }).retry]));
}

function codeOf(data: Fact["data"]): string {
  return String((data.error as { code?: unknown } | undefined)?.code);
}

function boundsOf(policy: RetryPolicy, reason: string, used: number): [least: number, most: number] {
  const whole = backoff({ ...policy, jitter: "none" }, Math.max(used, 1), 1);
  if (reason === "undelivered") return [0, Math.max(UNDELIVERED_MAX, whole)];
  // The first loss is offered again at once, and so is what waits for a probe.
  return [policy.jitter === "full" || reason === "lost" || reason === "unavailable" ? 0 : whole, whole];
}

interface Claimed {
  readonly id: string;
  readonly lane: string;
  readonly key: number;
  /** Where the log tells of it, and of its first attempt: clocks may be set back. */
  readonly createdAt: number;
  readonly claimedAt: number;
  /** Microseconds: what one transition claims, it claims at one time, and the log has it by stream. */
  readonly time: number;
}

const keyOrder: Invariant = {
  number: "20",
  name: "in a lane, no task is claimed before one that stands before it and could be claimed",
  needs: [],
  *check(evidence) {
    for (const tasks of groupBy(claimedOf(evidence), ({ lane }) => lane).values()) {
      // Those that came with a smaller key and were still there when another was claimed.
      const byClaim = tasks.toSorted((a, b) => a.claimedAt - b.claimedAt);
      for (const [i, task] of byClaim.entries()) {
        const passed = byClaim.slice(i + 1).find((other) => isPassed(other, task));
        if (passed !== undefined) yield `task ${task.id} was claimed before ${passed.id}, which stood before it`;
      }
    }
  },
};

function isPassed(other: Claimed, task: Claimed): boolean {
  const isLater = other.claimedAt > task.claimedAt && other.time !== task.time;
  return isLater && other.key < task.key && other.createdAt < task.claimedAt;
}

/** Tasks as they were when they were claimed for the first time; a fallback has another lane. */
function claimedOf({ db, history }: Evidence): Claimed[] {
  const created = new Map<string, number>();
  const claimed = new Map<string, { readonly claimedAt: number; readonly time: number }>();
  for (const facts of history.streams.values()) {
    for (const { type, data, position, at } of facts) {
      if (type === "task.created") created.set(String(data.taskId), position);
      if (type === "attempt.created" && data.number === 1) {
        claimed.set(String(data.taskId), { claimedAt: position, time: at });
      }
    }
  }
  const rows = db.all<{ id: string; lane: string; key: number }>(
    "select id, lane, order_key as key from tasks where fell_back = 0",
  );
  return rows.flatMap((row) => {
    const [createdAt, first] = [created.get(row.id), claimed.get(row.id)];
    return createdAt === undefined || first === undefined ? [] : [{ ...row, createdAt, ...first }];
  });
}

/** Who waits, waits as long as was said, and behind those who came before. */
export const FAIRNESS: readonly Invariant[] = [backoffWithinPolicy, keyOrder];
