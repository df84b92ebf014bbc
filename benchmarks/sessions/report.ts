import { median } from "../harness/statistics.ts";
import { figure, table } from "../harness/table.ts";
import type { Round } from "./round.ts";
import type { DiskWork } from "./watch.ts";

/** The rounds at one number of sessions in flight. */
export interface Level {
  readonly inFlight: number;
  readonly ceiling: Round[];
  readonly product: Round[];
  /** Requests per second of autocannon on an empty handler. */
  readonly cannon: number[];
}

export interface Report {
  readonly levels: readonly Level[];
  readonly work: ReadonlyMap<number, DiskWork>;
  /** Milliseconds of a small write that is flushed. */
  readonly disk: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** Sessions per second of the product, as a share of the ceiling's, at the highest level. */
const RATIO_BAR = 0.4;
/** Milliseconds of a session alone, as a multiple of the ceiling's. */
const LATENCY_BAR = 4;
/** Requests per second of the ceiling, as a share of autocannon's on an empty handler. */
const CEILING_BAR = 0.8;
/** How far the bytes per session of the two may be apart. */
const BYTES_BAR = 0.1;
/**
 * Per session: the start, the wait, three deliveries, three results. Seen from the ceiling's server, five that it handles
 * and three that it makes; the load generator has the other end of each. So both processes do eight ends of an exchange
 * per session, as both do one end per request of autocannon, and the two rates can be compared.
 */
const REQUESTS_PER_SESSION = 8;

const HEAD = ["in flight", "variant", "sessions/s", "p50 ms", "p99 ms", "server CPU ms", "bytes"];
const DISK_HEAD = ["statements", "commits", "fsyncs"];

export function printReport({ levels, work, disk, rounds, roundMs }: Report): void {
  console.log(`Sessions of three tasks; medians of ${rounds} alternating rounds of ${roundMs / 1_000} s.`);
  console.log(`A write of 4 KB and its fdatasync take ${figure(disk)} ms on this disk.`);
  console.log("CPU, bytes on the wire, SQL statements, commits and fsyncs are per session.\n");
  const rows = levels.flatMap((level) => [
    row(level, "ceiling", []),
    row(level, "product", diskFigures(work.get(level.inFlight))),
  ]);
  console.log(`${table([[...HEAD, ...DISK_HEAD], ...rows])}\n`);
  if (levels.some(({ inFlight }) => Number.isNaN(work.get(inFlight)?.fsyncs))) {
    console.log("fsyncs: not measured, strace is not installed.");
  }
}

function row(level: Level, variant: "ceiling" | "product", disk: readonly string[]): string[] {
  const figures = (["sessionsPerSecond", "p50", "p99", "cpuPerSession", "bytesPerSession"] as const).map((name) =>
    figure(of(level, variant, name)),
  );
  return [String(level.inFlight), variant, ...figures, ...disk];
}

function diskFigures(work: DiskWork | undefined): string[] {
  return work === undefined ? [] : [work.statements, work.commits, work.fsyncs].map(figure);
}

function of(level: Level, variant: "ceiling" | "product", name: keyof Round): number {
  return median(level[variant].map((round) => round[name]));
}

/** Exit code 0: both bars are held; 1: one is not; 2: the run says nothing. */
export function verdictOf(levels: readonly Level[]): { text: string; code: number } {
  const [first, last] = [levels[0], levels.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nothing was measured");
  const [ceiling, product] = [of(last, "ceiling", "sessionsPerSecond"), of(last, "product", "sessionsPerSecond")];
  // Each round of the one against the round of the other that followed: what else the machine does is in both.
  const share = median(last.cannon.map((cannon, i) => requestRate(last.ceiling[i]) / cannon));
  const rate = `${figure(ceiling * REQUESTS_PER_SESSION)} requests/s, autocannon with the same requests on an empty handler`;
  console.log(`ceiling: ${rate} ${figure(median(last.cannon))}: ${share.toFixed(2)}, bar ${CEILING_BAR}`);
  const ratio = product / ceiling;
  const slower = of(first, "product", "p50") / of(first, "ceiling", "p50");
  const bars =
    `ratio at ${last.inFlight} in flight ${ratio.toFixed(2)} (bar ${RATIO_BAR.toFixed(2)}), ` +
    `p50 at ${first.inFlight} ${slower.toFixed(1)} x the ceiling's (bar ${LATENCY_BAR})`;
  const apart = levels.find((level) => bytesApart(level) > BYTES_BAR);
  if (!(share >= CEILING_BAR)) return { text: `INVALID, the ceiling is too slow to be one: ${bars}`, code: 2 };
  if (apart !== undefined) {
    return { text: `INVALID, the two send different bytes at ${apart.inFlight} in flight: ${bars}`, code: 2 };
  }
  const passed = ratio >= RATIO_BAR && slower <= LATENCY_BAR;
  return { text: `${passed ? "PASS" : "FAIL"}: ${bars}`, code: passed ? 0 : 1 };
}

/** Requests per second. */
function requestRate(round: Round | undefined): number {
  return (round?.sessionsPerSecond ?? Number.NaN) * REQUESTS_PER_SESSION;
}

/** Not judged where /proc does not tell. */
function bytesApart(level: Level): number {
  return Math.abs(of(level, "product", "bytesPerSession") / of(level, "ceiling", "bytesPerSession") - 1);
}
