import { setTimeout as delay } from "node:timers/promises";
import { callBytes, cpuSeconds } from "../harness/process-usage.ts";
import { percentile } from "../harness/statistics.ts";
import type { SessionClient } from "./client.ts";

/** One way to run sessions. */
export interface Variant {
  readonly name: "ceiling" | "product";
  readonly client: SessionClient;
  readonly origin: string;
  /** The server's process. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface RoundOptions {
  readonly inFlight: number;
  /** Milliseconds before the measurement begins, in which all lanes come to full speed. */
  readonly leadMs: number;
  /** Milliseconds of the measurement. */
  readonly ms: number;
}

export interface Round {
  /** Sessions from the first to the last, those outside the window included. */
  readonly all: number;
  readonly sessionsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of processor time of the server. */
  readonly cpuPerSession: number;
  /** Bytes that client and agents sent and received. */
  readonly bytesPerSession: number;
}

/** Numbers sessions over all rounds, so that no two are equal. */
let sessionNumber = 0;

/** Keeps `inFlight` sessions open all the time; those that end within the window count. */
export async function runRound(variant: Variant, { inFlight, leadMs, ms }: RoundOptions): Promise<Round> {
  const times: SessionTime[] = [];
  let isOver = false;
  const lane = async (): Promise<void> => {
    while (!isOver) {
      const begun = performance.now();
      sessionNumber += 1;
      await variant.client.run(sessionNumber);
      const end = performance.now();
      times.push({ end, took: end - begun });
    }
  };
  const measure = async (): Promise<[Sample, Sample]> => {
    await delay(leadMs);
    const first = sample(variant.pid);
    await delay(ms);
    return [first, sample(variant.pid)];
  };
  const lanes = Array.from({ length: inFlight }, lane);
  // A lane only ends by a failure while the window is open.
  const measured = await Promise.race([measure(), Promise.all(lanes).then(() => null)]);
  isOver = true;
  await Promise.all(lanes);
  if (measured === null) throw new Error("the lanes ended before the measurement");
  return summary(times, inFlight, ...measured);
}

/** Milliseconds. */
interface SessionTime {
  readonly end: number;
  readonly took: number;
}

interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly bytes: number;
}

function sample(pid: number): Sample {
  return { at: performance.now(), cpu: cpuSeconds(pid), bytes: callBytes(process.pid) };
}

function summary(times: readonly SessionTime[], inFlight: number, first: Sample, last: Sample): Round {
  const took = times.filter(({ end }) => end > first.at && end <= last.at).map((time) => time.took);
  const mean = took.reduce((sum, each) => sum + each, 0) / took.length;
  return {
    all: times.length,
    // Lanes are never idle, so this is their rate. Ends per window would be off by up to `inFlight` sessions at either
    // end, since sessions whose changes were committed together go on together.
    sessionsPerSecond: (inFlight * 1_000) / mean,
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    cpuPerSession: ((last.cpu - first.cpu) * 1_000 * mean) / ((last.at - first.at) * inFlight),
    bytesPerSession: ((last.bytes - first.bytes) * mean) / ((last.at - first.at) * inFlight),
  };
}
