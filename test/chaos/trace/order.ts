import type { SystemCall } from "./parse.ts";

/** Something that may leave the server only when it is on the disk. */
export interface Promised {
  readonly what: string;
  /** Stands in what leaves, and in nothing else that does. */
  readonly sent: readonly string[];
  /** Stands in the log once the change is written, and not before. */
  readonly stored: string;
}

export interface OrderReport {
  /** Promises of which all three moments were seen. */
  readonly shown: number;
  readonly findings: readonly string[];
}

/** For each promise: its group was written to the log, then the log was synced, then it was sent. */
export function checkOrder(calls: readonly SystemCall[], promises: readonly Promised[]): OrderReport {
  const [writes, syncs, sends] = (["log-write", "log-sync", "send"] as const).map((kind) =>
    calls.filter((call) => call.kind === kind),
  ) as [SystemCall[], SystemCall[], SystemCall[]];
  const findings: string[] = [];
  let shown = 0;
  for (const { what, sent, stored } of promises) {
    const send = sends.find(({ text }) => sent.every((part) => text.includes(part)));
    if (send === undefined) {
      findings.push(`${what} was never seen to leave`);
      continue;
    }
    const write = writes.find(({ text }) => text.includes(stored));
    const sync = write === undefined ? undefined : syncs.find(({ begin }) => begin > write.end);
    if (write === undefined || write.end > send.begin) findings.push(`${what} left before it was written`);
    else if (sync === undefined || sync.end > send.begin) findings.push(`${what} left before it was synced`);
    else shown += 1;
  }
  return { shown, findings };
}
