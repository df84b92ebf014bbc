import { findingsOf } from "../checker/findings.ts";
import type { Verdict } from "./judge.ts";
import { recoveryOf } from "./report.ts";
import { POINTS } from "./rig/kill-plan.ts";
import type { RigReport } from "./rig/rig.ts";
import type { DurabilityReport } from "./trace/show-durability.ts";

/** R7: how long work of a dead process may wait. */
const SERVING_WITHIN_MS = 15_000;

/** This share of the kills has to come while a permit is held, an effect open, and a cancellation open. */
const HIT_SHARE = 0.2;

export interface Outcome {
  readonly run: RigReport;
  readonly verdict: Verdict;
  /** Or why there is none. */
  readonly trace: DurabilityReport | string;
  readonly wanted: { readonly random: number; readonly failpoints: number };
}

/** Everything in which a run falls short of its bar; nothing when it passes. */
export function shortcomingsOf({ run, verdict, trace, wanted }: Outcome): string[] {
  return [
    ...killsBelow(run, wanted),
    ...untouchedIn(verdict, Math.floor((wanted.random + wanted.failpoints) * HIT_SHARE)),
    ...run.unfinished,
    ...findingsOf(verdict).slice(0, 20),
    ...(verdict.figures.resends === 0 ? ["no attempt was ever sent again"] : []),
    ...(run.stoppedCleanly ? [] : ["the last server did not stop cleanly"]),
    ...(typeof trace === "string" ? [] : traceBelow(trace)),
  ];
}

function* killsBelow({ kills }: RigReport, wanted: Outcome["wanted"]): Iterable<string> {
  const counted = kills.filter(({ counts }) => counts);
  const atPoints = counted.filter(({ failpoint }) => failpoint !== null).length;
  const all = wanted.random + wanted.failpoints;
  if (counted.length < all) yield `${counted.length} kills count, of ${all}`;
  if (atPoints < wanted.failpoints) yield `${atPoints} kills at failpoints, of ${wanted.failpoints}`;
  const missing = Object.keys(POINTS).filter((name) => !counted.some(({ failpoint }) => failpoint === name));
  // Fewer kills than points, for a quick look, cannot hit each.
  if (wanted.failpoints >= Object.keys(POINTS).length && missing.length > 0) yield `never hit: ${missing.join(", ")}`;
  const slow = recoveryOf(kills).filter((ms) => ms > SERVING_WITHIN_MS);
  if (slow.length > 0) yield `${slow.length} starts took longer than ${SERVING_WITHIN_MS / 1000} s`;
}

/** What the kills had to come in the middle of, and did not. */
function* untouchedIn({ figures: { kills } }: Verdict, least: number): Iterable<string> {
  const found: readonly (readonly [number, string])[] = [
    [kills.permits, "a permit was held"],
    [kills.effects, "an effect was open"],
    [kills.cancellations, "a cancellation was open"],
  ];
  for (const [count, when] of found) if (count < least) yield `${count} kills while ${when}, of ${least}`;
}

function traceBelow({ shown, findings }: DurabilityReport): string[] {
  return shown === 0 ? ["the trace shows nothing", ...findings] : [...findings];
}

/** The verdict in a line. */
export function summaryOf({ kills }: RigReport, verdict: Verdict): string {
  const counted = kills.filter(({ counts }) => counts);
  const atPoints = counted.filter(({ failpoint }) => failpoint !== null).length;
  const broken = (...numbers: string[]): number =>
    verdict.judgements.filter(({ number }) => numbers.includes(number)).flatMap(({ findings }) => findings).length;
  const { figures } = verdict;
  return [
    `${counted.length} kills that count, ${atPoints} of them at failpoints`,
    `${figures.sessions} sessions, ${figures.tasks} tasks`,
    `${broken("1", "2", "3", "4", "18", "21", "R7")} lost`,
    `${broken("5", "6", "7", "8", "9")} second outcomes`,
    `${figures.resendsArrived} repeated deliveries, ${figures.resendsWithOtherKey} with another key`,
    `${findingsOf(verdict).length} findings in all`,
  ].join(", ");
}
