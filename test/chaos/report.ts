import { percentile } from "../../benchmarks/harness/statistics.ts";
import { table } from "../../benchmarks/harness/table.ts";
import type { Verdict } from "./judge.ts";
import type { Kill } from "./rig/killer.ts";

const SHOWN_FINDINGS = 5;
/** What is aimed at on a machine that has nothing else to do. */
const SOON_MS = 3_000;

/** Where the server was killed, what was under way, and how soon it served again. */
export function killTable(kills: readonly Kill[]): string {
  const places = [...new Set(kills.map(({ failpoint }) => failpoint))].sort((a, b) => (a ?? "").localeCompare(b ?? ""));
  const rows = places.map((place) =>
    killRow(
      place ?? "random moment",
      kills.filter(({ failpoint }) => failpoint === place),
    ),
  );
  const head = [
    "killed at",
    "kills",
    "that count",
    "dispatched",
    "unanswered",
    "waits broken",
    "sessions",
    "serving after",
  ];
  const units = ["", "", "", "min/median", "min/median", "median", "min", "p50/max ms"];
  return table(
    [head, units, ...rows, killRow("all", kills)].map(([first = "", ...rest]) => [first.padEnd(23), ...rest]),
  );
}

function killRow(name: string, all: readonly Kill[]): string[] {
  const kills = all.filter(({ counts }) => counts);
  const spread = (values: readonly number[]): string => `${percentile(values, 0)}/${percentile(values, 0.5)}`;
  const recovered = recoveryOf(kills);
  return [
    name,
    String(all.length),
    String(kills.length),
    spread(kills.map(({ dispatched }) => dispatched)),
    spread(kills.map(({ unanswered }) => unanswered)),
    String(
      percentile(
        kills.map(({ brokenReads }) => brokenReads),
        0.5,
      ),
    ),
    String(
      percentile(
        kills.map(({ sessions }) => sessions),
        0,
      ),
    ),
    recovered.length === 0 ? "killed again" : `${percentile(recovered, 0.5)}/${percentile(recovered, 1)}`,
  ];
}

/** Milliseconds from a kill to the next readiness; kills that were followed by another before that are left out. */
export function recoveryOf(kills: readonly Kill[]): number[] {
  return kills.flatMap(({ recoveredMs }) => recoveredMs ?? []);
}

export function figureLines({ figures: f }: Verdict, kills: readonly Kill[]): string {
  const recovered = recoveryOf(kills);
  const at = (share: number): string => `${percentile(recovered, share)} ms`;
  const soon = recovered.filter((ms) => ms <= SOON_MS).length;
  const lines: readonly (readonly [string, string])[] = [
    ["sessions (cancelled), tasks, attempts", `${f.sessions} (${f.cancelled}), ${f.tasks}, ${f.attempts}`],
    ["events", String(f.events)],
    ["server processes", String(f.processes)],
    [
      "starts sent and never answered; asked again under their key; answered as repetitions",
      `${f.unansweredCalls}; ${f.resentCalls}; ${f.replayedAnswers}`,
    ],
    ["attempts sent again (send number > 1); of these reached their agent twice", `${f.resends}; ${f.resendsArrived}`],
    ["  with another key or token than before", String(f.resendsWithOtherKey)],
    ["deliveries of a known key, done once all the same", String(f.deduplicated)],
    ["attempts that failed, timed out or were lost, and were tried again", String(f.retriedAttempts)],
    ["results under an old token, refused", String(f.lateRefused)],
    ["webhooks", String(f.webhooks)],
    ["attempts under limits by key", String(f.limitedAttempts)],
    ["  kills while one held a permit; while a task waited for one", `${f.kills.permits}; ${f.kills.waits}`],
    [
      "effects announced; done outside; asked for again under their key; in doubt",
      `${f.announcedEffects}; ${f.outsideEffects}; ${f.repeatedEffects}; ${f.doubts}`,
    ],
    ["  kills while one was open; while one was in doubt", `${f.kills.effects}; ${f.kills.doubts}`],
    ["cancellations; refused at first", `${f.cancellations} (${stagesOf(f)}); ${f.refusals}`],
    ["  kills while one was open", String(f.kills.cancellations)],
    ["kill -9 to /readyz 200: p50, p99, max", `${at(0.5)}, ${at(0.99)}, ${at(1)}`],
    [`  within ${SOON_MS / 1000} s`, `${soon} of ${recovered.length}`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

function stagesOf({ stages }: Verdict["figures"]): string {
  return Object.entries(stages)
    .map(([stage, count]) => `${count} ${stage}`)
    .join(", ");
}

export function invariantLines({ judgements }: Verdict): string {
  return judgements
    .flatMap(({ number, name, isJudged, findings }) => {
      const how = findings.length === 0 ? "holds" : `BROKEN ${findings.length} times`;
      const more = findings.slice(0, SHOWN_FINDINGS).map((finding) => `            ${finding}`);
      return [`${number.padStart(4)}  ${name}: ${isJudged ? how : "not judged"}`, ...more];
    })
    .join("\n");
}
