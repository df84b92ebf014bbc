import { setTimeout as sleep } from "node:timers/promises";
import { KillPlan, type PlannedKill } from "./kill-plan.ts";
import type { OpenAttempts } from "./open-attempts.ts";
import type { ServerProcess } from "./server-process.ts";
import type { SessionClient } from "./session-client.ts";

/** A server that reached no failpoint for so long is killed all the same, as at a random moment. */
const FAILPOINT_WITHIN_MS = 6_000;
/** A random kill waits this long for a call to be under way. */
const CALL_WITHIN_MS = 3_000;
/** What a call takes at most, more or less: so that the kill may come at any moment of it. */
const CALL_TAKES_MS = 8;
/** Calls that were under way have broken by then, and the agents have written down what reached them. */
const SETTLE_MS = 60;

export interface Kill {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The failpoint, or null for a random moment. */
  readonly failpoint: string | null;
  /** Attempts that an agent had and whose outcome nobody had accepted. */
  readonly dispatched: number;
  /** Starts of sessions that were sent and not answered. */
  readonly unanswered: number;
  /** Waits for a session's end that broke off. */
  readonly brokenReads: number;
  /** Sessions under way. */
  readonly sessions: number;
  readonly counts: boolean;
  /** Until work was taken again, milliseconds; null when the next process was killed before that. */
  recoveredMs: number | null;
}

export interface KillerOptions {
  readonly server: ServerProcess;
  readonly client: SessionClient;
  readonly open: OpenAttempts;
  readonly seed: number;
  /** Kills that count, of each kind. */
  readonly random: number;
  readonly failpoints: number;
  /** Failpoints to use; default all. */
  readonly points?: readonly string[];
  /** Milliseconds; when they are over, the killing stops wherever it is. */
  readonly within: number;
  readonly onKill: (kill: Kill) => void;
}

/** Kills the server until enough kills count, and leaves it running. */
export async function killAgainAndAgain(options: KillerOptions): Promise<readonly Kill[]> {
  const { server, client, open, onKill } = options;
  const plan = new KillPlan(options.seed, options.points);
  const kills: Kill[] = [];
  const wanted = { random: options.random, failpoints: options.failpoints };
  const deadline = Date.now() + options.within;
  /** The kill that the server has not recovered from yet. */
  let down: Kill | null = null;
  const recovered = (at: number | null): void => {
    if (at === null) return;
    if (down !== null) down.recoveredMs = at - down.at;
    down = null;
  };
  while ((wanted.random > 0 || wanted.failpoints > 0) && Date.now() < deadline) {
    const planned = plan.next(wanted);
    server.start(planned.kind === "failpoint" ? `${planned.name}:${planned.hit}` : undefined);
    recovered(await server.ready());
    const before = client.brokenReads;
    const hit = await kill(planned, server, client);
    const at = Date.now();
    await sleep(SETTLE_MS);
    const { unknown: unanswered, running: sessions } = client;
    const dispatched = open.at(at);
    const counts = dispatched > 0 && unanswered > 0;
    const brokenReads = client.brokenReads - before;
    const made: Kill = { at, failpoint: hit, dispatched, unanswered, brokenReads, sessions, counts, recoveredMs: null };
    kills.push(made);
    down = made;
    onKill(made);
    if (hit !== null && counts) plan.done(hit);
    if (counts) wanted[hit === null ? "random" : "failpoints"] -= 1;
  }
  server.start();
  recovered(await server.ready());
  return kills;
}

/** @returns the failpoint at which it died, or null */
async function kill(planned: PlannedKill, server: ServerProcess, client: SessionClient): Promise<string | null> {
  if (planned.kind === "failpoint") {
    const died = await Promise.race([server.exit, sleep(FAILPOINT_WITHIN_MS, null)]);
    if (died !== null) {
      if (died.signal !== "SIGKILL") throw new Error(`the server ended by itself: ${JSON.stringify(died)}`);
      return planned.name;
    }
  } else {
    await sleep(planned.afterMs);
  }
  await callUnderWay(client);
  server.kill();
  await server.exit;
  return null;
}

/** Returns while a start is at the server: just sent, being done, or about to be answered. */
async function callUnderWay(client: SessionClient): Promise<void> {
  const deadline = Date.now() + CALL_WITHIN_MS;
  do {
    while (client.asking === 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    await sleep(Math.random() * CALL_TAKES_MS);
  } while (client.asking === 0 && Date.now() < deadline);
}
