import type { StreamLog } from "../entries.ts";
import type { Evidence } from "../evidence.ts";
import { mayComeLater } from "../fold.ts";
import type { Fact, History } from "../history.ts";
import type { Invariant } from "../invariant.ts";

const toldIsTheLog: Invariant = {
  number: "22",
  name: "a stream, joined over its connections, is the log: each event once, in order, to the end",
  needs: ["streams"],
  *check(evidence) {
    for (const log of evidence.streams ?? []) yield* judge(log, evidence);
  },
};

function* judge(log: StreamLog, { history, isDrained, db }: Evidence): Iterable<string> {
  const { told, resets, ended, follows } = log;
  const name = follows === "all" ? "the stream of everything" : `the stream of ${follows} ${log.id}`;
  const facts = factsOf(log, history);
  for (const reason of resets) yield `${name} was taken for another store's: ${reason}`;
  const wrong = told.findIndex(({ position }, i) => position !== facts[i]?.position);
  if (wrong >= 0) {
    yield `${name} told event ${told[wrong]?.position} where ${facts[wrong]?.position ?? "nothing"} should be`;
    return;
  }
  const untold = facts.slice(told.length);
  if (follows === "all") {
    if (isDrained && untold.length > 0) yield `${name} did not tell event ${untold[0]?.position}`;
    return;
  }
  if (ended === null) {
    if (isDrained) yield `${name} has no end`;
    return;
  }
  const missing = untold.find(({ type }) => !mayComeLater(type));
  if (missing !== undefined) yield `${name} ended before event ${missing.position}, ${missing.type}`;
  const [status] = db.texts(`select status from ${follows}s where id = ?`, log.id);
  if (ended !== status) yield `${name} ended as ${ended}, it is ${status}`;
}

function factsOf({ follows, id }: StreamLog, { streams }: History): readonly Fact[] {
  if (follows === "session") return streams.get(id ?? "") ?? [];
  const all = [...streams.values()].flat().toSorted((a, b) => a.position - b.position);
  return follows === "all" ? all : all.filter(({ data }) => data.taskId === id);
}

/** What those were told who looked on. */
export const STREAMS: readonly Invariant[] = [toldIsTheLog];
