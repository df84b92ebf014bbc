import { type ClientEntry, type EffectEntry, entriesOf } from "./entries.ts";
import type { Rows } from "./evidence.ts";
import { groupBy } from "./invariant.ts";
import { type KillFigures, killFiguresOf } from "./kill-figures.ts";

/** What happened, in numbers; they show that there was something to judge. */
export interface Figures {
  readonly sessions: number;
  /** Of these, ended by a cancel. */
  readonly cancelled: number;
  readonly tasks: number;
  readonly attempts: number;
  readonly events: number;
  /** Server processes on this database. */
  readonly processes: number;
  /** Attempts sent more than once, summed over the extra sends: by the server's count, and as they arrived. */
  readonly resends: number;
  readonly resendsArrived: number;
  /** Of those that arrived, with another key or token than the first. */
  readonly resendsWithOtherKey: number;
  /** Deliveries of a key that its agent had had before: no second effect came of them. */
  readonly deduplicated: number;
  readonly effects: number;
  /** Results that came under a token of the past. */
  readonly lateRefused: number;
  /** Attempts that ended without success, and were followed by others. */
  readonly retriedAttempts: number;
  /** Calls to start a session that were sent again under their key; answers that were repetitions. */
  readonly resentCalls: number;
  readonly replayedAnswers: number;
  /** Starts that were sent and not answered. */
  readonly unansweredCalls: number;
  readonly webhooks: number;
  /** Attempts under limits by key. */
  readonly limitedAttempts: number;
  /** Effects that were announced, that were done outside, and that were asked for once more under their key. */
  readonly announcedEffects: number;
  readonly outsideEffects: number;
  readonly repeatedEffects: number;
  /** Tasks of which somebody was asked what came of their effects. */
  readonly doubts: number;
  /** Cancellations, and how many of them came to each stage. */
  readonly cancellations: number;
  readonly stages: Readonly<Record<string, number>>;
  /** Of these, refused by their agents at first. */
  readonly refusals: number;
  readonly kills: KillFigures;
}

export function figuresOf(db: Rows, client: readonly ClientEntry[], effects: readonly EffectEntry[]): Figures {
  const count = (sql: string): number => Number(db.texts(sql)[0] ?? 0);
  const deliveries = entriesOf(effects, "delivery");
  const again = [...groupBy(deliveries, ({ task, attempt }) => `${task}/${attempt}`).values()].flatMap(
    ([first, ...more]) => more.map(({ key, token }) => key === first?.key && token === first.token),
  );
  const reported = entriesOf(effects, "reported");
  return {
    sessions: count("select count(*) from sessions"),
    cancelled: count("select count(*) from sessions where status = 'cancelled'"),
    tasks: count("select count(*) from tasks"),
    attempts: count("select count(*) from attempts"),
    events: count("select coalesce(sum(json_array_length(entries)), 0) from events"),
    processes: count("select count(*) from instances"),
    resends: count("select coalesce(sum(sends - 1), 0) from attempts"),
    resendsArrived: again.length,
    resendsWithOtherKey: again.filter((same) => !same).length,
    deduplicated: deliveries.filter(({ known }) => known).length,
    effects: entriesOf(effects, "effect").length,
    lateRefused: reported.filter(({ status }) => status === 409).length,
    retriedAttempts: count("select count(*) from attempts where status in ('failed', 'timed_out', 'lost')"),
    resentCalls: entriesOf(client, "asked").length - new Set(entriesOf(client, "asked").map(({ key }) => key)).size,
    replayedAnswers: entriesOf(client, "answered").filter(({ replayed }) => replayed).length,
    unansweredCalls: entriesOf(client, "unanswered").length,
    webhooks: new Set(entriesOf(effects, "webhook").map(({ id }) => id)).size,
    limitedAttempts: count(
      "select count(*) from attempts where task_id in (select id from tasks where limits is not null)",
    ),
    announcedEffects: count("select count(*) from effects"),
    outsideEffects: entriesOf(effects, "outside").filter(({ known }) => !known).length,
    repeatedEffects: entriesOf(effects, "outside").filter(({ known }) => known).length,
    doubts: count("select count(*) from doubts"),
    cancellations: count("select count(*) from cancellations"),
    stages: stagesIn(db),
    refusals: entriesOf(effects, "word").filter(({ status, isHeard }) => status === "refused" && !isHeard).length,
    kills: killFiguresOf(db),
  };
}

function stagesIn(db: Rows): Record<string, number> {
  const rows = db.all<{ stage: string; count: number }>(
    "select stage, count(*) as count from cancellations group by stage order by stage",
  );
  return Object.fromEntries(rows.map(({ stage, count }) => [stage, count]));
}
