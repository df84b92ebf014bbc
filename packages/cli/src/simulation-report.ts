import type { BadEnd, SimulateReport, StepReport, TargetReport } from "@opspawn/testing/simulate";
import type { Field, Output, Section } from "./output/output.ts";
import type { Tone } from "./output/style.ts";
import { plain, truncate, wrap } from "./output/text.ts";
import { duration } from "./output/time.ts";

/** Before the lines of a story. */
const INDENT = "  ";

/** A simulation's report for people. */
export function reportFields(report: SimulateReport, output: Output): Field[] {
  const { workflow, sessions, seed, arrivals, counts, latencyMs: latency } = report;
  return [
    ["Workflow", workflow],
    ["Sessions", `${number(sessions)}, arriving ${arrivals}; seed ${seed}`],
    ["Completed", completedText(report), counts.completed === sessions ? "good" : "warn"],
    ...badRows(counts),
    ["Latency", `p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, p99 ${ms(latency.p99)}, max ${ms(latency.max)}`],
    ["Bottleneck", bottleneckText(report)],
    ...(report.target === null ? [] : targetRows(report.target)),
    ["Simulated", speedText(report)],
    steps(report, output),
    agents(report, output),
    ...report.badEnds.map((end) => story(end, output)),
  ];
}

function completedText({ counts, sessions, completedPerMinute, crashes }: SimulateReport): string {
  const crashed = crashes === 0 ? "" : `; the server died ${number(crashes)} times`;
  const pace =
    completedPerMinute < 1 ? `${figure(completedPerMinute * 60)} an hour` : `${figure(completedPerMinute)} a minute`;
  return `${number(counts.completed)} of ${number(sessions)}, ${pace}${crashed}`;
}

function badRows(counts: SimulateReport["counts"]): Field[] {
  const rows: readonly (readonly [string, number, Tone, string])[] = [
    ["Failed", counts.failed, "bad", ""],
    ["Cancelled", counts.cancelled, "warn", ""],
    ["Uncertain", counts.uncertain, "warn", ""],
    ["Stuck", counts.stuck, "bad", ": open, and nothing will happen by itself"],
    ["Unfinished", counts.unfinished, "bad", ": open when the time was over; see --within"],
  ];
  return rows.flatMap(([name, count, tone, rest]): Field[] =>
    count === 0 ? [] : [[name, `${number(count)}${rest}`, tone]],
  );
}

function bottleneckText({ bottleneck, needs }: SimulateReport): string {
  const need = needs.find(({ name, what }) => name === bottleneck?.name && what === bottleneck.what);
  if (bottleneck === null || need === undefined) return "none: no step needs an agent or a tool";
  const who = need.servedBy.length === 0 ? "nobody" : need.servedBy.join(", ");
  const busy = `${who}, ${percent(need.utilisation)} busy`;
  const subject = `${bottleneck.what} ${bottleneck.name}`;
  if (!bottleneck.isWaitedFor) return `none; the busiest is ${subject} (${busy})`;
  return `${subject} (${busy}): a session waits ${ms(need.waitMs)} for it on average`;
}

function targetRows({ text, isMet, actual, described, search }: TargetReport): Field[] {
  const value = actual.unit === "ms" ? ms(actual.value) : `${figure(actual.value)} sessions a minute`;
  return [
    ["Target", `${text}: ${isMet ? "met" : "missed"}, it is ${value}`, isMet ? "good" : "bad"],
    ["Agents needed", neededText(described, search)],
  ];
}

function neededText(described: TargetReport["described"], { needed, reason, runs }: TargetReport["search"]): string {
  if (needed === null) return reason ?? "not found";
  const parts = Object.entries(needed).map(([name, count]) => {
    const before = described[name] ?? count;
    return before === count ? `${name} ${count}` : `${name} ${count} (not ${before})`;
  });
  return `${parts.join(", ")}; by ${runs.length} more simulations`;
}

function speedText({ simulatedMs, tookMs, sessionsPerSecond, speedUp }: SimulateReport): string {
  const fast = `${figure(sessionsPerSecond)} sessions/s, ${number(Math.round(speedUp))} x real time`;
  return `${ms(simulatedMs)} in ${ms(tookMs)}: ${fast}`;
}

function steps({ steps: rows }: SimulateReport, output: Output): Section {
  const lines = output.table(rows, [
    { title: "STEP", value: ({ step }) => step, least: 8 },
    { title: "RUNS", value: ({ count }) => number(count) },
    { title: "WAIT P50", value: ({ waitMs }) => ms(waitMs.p50) },
    { title: "P95", value: ({ waitMs }) => ms(waitMs.p95) },
    { title: "WORK P50", value: ({ workMs }) => ms(workMs.p50) },
    { title: "P95", value: ({ workMs }) => ms(workMs.p95) },
    { title: "RETRIES", value: ({ retries }) => number(retries) },
    { title: "WAITS FOR", value: reasonsText, least: 9 },
  ]);
  return { title: "Steps", lines };
}

function reasonsText({ reasons }: StepReport): string {
  const [first, ...rest] = Object.entries(reasons);
  if (first === undefined) return "-";
  return `${first[0]} ${percent(first[1])}${rest.length === 0 ? "" : ` +${rest.length}`}`;
}

function agents({ agents: rows }: SimulateReport, output: Output): Section {
  const lines = output.table(rows, [
    { title: "NAME", value: ({ name }) => name, least: 8 },
    { title: "KIND", value: ({ kind }) => kind },
    { title: "COUNT", value: ({ count }) => number(count) },
    { title: "AT ONCE", value: ({ concurrency }) => number(concurrency) },
    { title: "BUSY", value: ({ utilisation }) => percent(utilisation) },
    { title: "DEATHS", value: ({ deaths }) => number(deaths) },
  ]);
  return { title: "Agents and tools", lines };
}

function story({ status, code, step, message, count, number: session, story: lines }: BadEnd, output: Output): Section {
  const where = step === null ? "" : `, step ${step}`;
  const said = message === "" ? [] : wrap(plain(message), output.columns - INDENT.length);
  const title = `${number(count)} ${status} (${code}${where}), such as session ${session}`;
  const told = [...said, ...lines].map((line) => truncate(`${INDENT}${plain(line)}`, output.columns));
  return { title: truncate(title, output.columns), lines: told };
}

function ms(millis: number): string {
  return duration(millis * 1_000);
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** With three digits that matter. */
function figure(value: number): string {
  return value >= 100 ? number(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
