import { setTimeout as sleep } from "node:timers/promises";
import type { ClientEntry } from "../../checker/entries.ts";
import { type Answer, type Call, type Caller, isPassing, NoAnswer, pause } from "../http-calls.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { chanceOf } from "../workload.ts";
import { planOf } from "../workloads/sessions.ts";

/** This share of the sessions asks for a webhook at its end. */
const WITH_WEBHOOK = 0.1;
/** This share of the starts is sent twice at once, as a nervous client does. */
const DOUBLED = 0.1;

/** How often it is asked whether what was cancelled has stopped. */
const STOPS_EVERY_MS = 700;

interface Stopping {
  readonly cancellationId: string;
  readonly stage: string;
  readonly endedAt: string | null;
}

const OPEN: ReadonlySet<string> = new Set(["started", "running", "waiting"]);

export interface SessionClientOptions {
  readonly server: Caller;
  readonly log: SyncedLog;
  /** Sessions at once. */
  readonly lanes: number;
}

export interface ClientAccess {
  readonly key: string;
  readonly webhookUrl: string;
}

/**
 * Keeps a number of sessions going: starts one, under a key of its own, until it is told that it has started; waits for
 * its end and looks at its result; starts the next. All of it is in its log, on disk, before and after each call.
 */
export class SessionClient {
  readonly #options: SessionClientOptions;
  /** Starts under way, by key. */
  readonly #asking = new Set<string>();
  /** Keys that were sent, whose answer was lost and has not come since. */
  readonly #unknown = new Set<string>();
  #access: ClientAccess = { key: "", webhookUrl: "" };
  #begun = 0;
  #ended = 0;
  #brokenReads = 0;
  #isStopping = false;
  #isGone = false;
  #lanes: Promise<void>[] = [];
  /** Waits for what was cancelled to stop. */
  readonly #stopping: Promise<void>[] = [];

  constructor(options: SessionClientOptions) {
    this.#options = options;
  }

  /** Starts of which a try is at the server right now, as far as anybody can know. */
  get asking(): number {
    return this.#asking.size;
  }

  get unknown(): number {
    return this.#unknown.size;
  }

  /** Waits for an end that were broken off so far. */
  get brokenReads(): number {
    return this.#brokenReads;
  }

  get running(): number {
    return this.#begun - this.#ended;
  }

  get ended(): number {
    return this.#ended;
  }

  start(access: ClientAccess): void {
    this.#access = access;
    this.#lanes = Array.from({ length: this.#options.lanes }, () => this.#lane());
  }

  /** Gives up whatever has not ended; resolves when nothing more will be written. */
  async leave(): Promise<void> {
    this.#isStopping = true;
    this.#isGone = true;
    await this.#allOver();
  }

  /** Starts nothing new; resolves when everything has ended. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    await this.#allOver();
  }

  async #allOver(): Promise<void> {
    await Promise.all(this.#lanes);
    await Promise.all(this.#stopping);
  }

  async #lane(): Promise<void> {
    while (!this.#isStopping) {
      this.#begun += 1;
      const n = this.#begun;
      const key = `session-${String(n).padStart(6, "0")}`;
      const starts = chanceOf(`double ${key}`) < DOUBLED ? [0, 1000] : [0];
      const [sessionId] = await Promise.all(starts.map((first) => this.#startSession(key, n, first)));
      if (sessionId !== undefined && sessionId !== null) {
        await Promise.all([this.#awaitEnd(key, n, sessionId), this.#cancelSome(key, n, sessionId)]);
      }
      this.#ended += 1;
    }
  }

  /** @param first sends are numbered from here, so that two that run at once can be told apart */
  async #startSession(key: string, n: number, first: number): Promise<string | null> {
    for (let send = first + 1; !this.#isGone; send += 1) {
      await this.#write({ type: "asked", at: Date.now(), key, send, n });
      const answer = await this.#askOnce(key, n, send);
      if (answer !== null && !isPassing(answer.status)) return sessionIdOf(answer);
      await pause(send - first);
    }
    return null;
  }

  async #askOnce(key: string, n: number, send: number): Promise<Answer | null> {
    const { key: apiKey, webhookUrl } = this.#access;
    const callback = chanceOf(`webhook ${key}`) < WITH_WEBHOOK ? { callbackUrl: webhookUrl } : {};
    const body = { workflowId: planOf(n).workflowId, input: { n }, labels: { call: key }, ...callback };
    const mark = `${key}/${send}`;
    this.#asking.add(mark);
    try {
      const call = { method: "POST", path: "/v1/opscore/sessions", key: apiKey, idempotencyKey: key, body } as const;
      const answer = await this.#options.server.send(call);
      const { status, isReplayed: replayed } = answer;
      const sessionId = sessionIdOf(answer);
      if (sessionId !== null) this.#unknown.delete(key);
      await this.#write({ type: "answered", at: Date.now(), key, send, status, sessionId, replayed });
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (error.isSent) this.#unknown.add(key);
      const at = Date.now();
      if (error.isSent) await this.#write({ type: "unanswered", at, key, send, problem: error.message });
      else await this.#write({ type: "unsent", at, key, send });
      return null;
    } finally {
      this.#asking.delete(mark);
    }
  }

  async #cancelSome(key: string, n: number, sessionId: string): Promise<void> {
    const { cancelAfter } = planOf(n);
    if (cancelAfter === null) return;
    await sleep(cancelAfter);
    await this.#write({ type: "cancelling", at: Date.now(), key, sessionId });
    const path = `/v1/opscore/sessions/${sessionId}/cancel`;
    for (let tries = 1; !this.#isGone; tries += 1) {
      const answer = await this.#call({ method: "POST", path, key: this.#access.key });
      if (answer !== null) {
        const { status } = answer;
        await this.#write({ type: "cancelled", at: Date.now(), key, sessionId, status, waits: true });
        // Its lane goes on meanwhile.
        if (status === 200) this.#stopping.push(this.#awaitStops(key, sessionId));
        return;
      }
      await pause(tries);
    }
  }

  /** Waits until it is known of each attempt whether it has stopped. */
  async #awaitStops(key: string, sessionId: string): Promise<void> {
    const path = `/v1/opscore/sessions/${sessionId}/cancellations?limit=100`;
    while (!this.#isGone) {
      const answer = await this.#call({ method: "GET", path, key: this.#access.key });
      const items = answer?.status === 200 ? (answer.body.items as readonly Stopping[]) : null;
      if (items?.every(({ endedAt }) => endedAt !== null) === true) {
        const stages = Object.fromEntries(items.map(({ cancellationId, stage }) => [cancellationId, stage]));
        await this.#write({ type: "called_off", at: Date.now(), key, sessionId, stages });
        return;
      }
      await sleep(STOPS_EVERY_MS);
    }
  }

  async #awaitEnd(key: string, n: number, sessionId: string): Promise<void> {
    const path = `/v1/opscore/sessions/${sessionId}?wait=20s`;
    for (let failures = 0; !this.#isGone; ) {
      const answer = await this.#call({ method: "GET", path, key: this.#access.key });
      if (answer === null) {
        failures += 1;
        await pause(failures);
        continue;
      }
      failures = 0;
      const { status, result } = answer.body as { status?: string; result?: unknown };
      const isOpen = answer.status === 200 && OPEN.has(String(status));
      if (isOpen) continue;
      const told = answer.status === 200 ? String(status) : `http ${answer.status}`;
      const { expected, outcome } = planOf(n);
      await this.#write({ type: "ended", at: Date.now(), key, sessionId, status: told, result, expected, outcome });
      return;
    }
  }

  /** A call that may be repeated as it is. Null when nothing came of it. */
  async #call(call: Call): Promise<Answer | null> {
    try {
      const answer = await this.#options.server.send(call);
      if (!isPassing(answer.status)) return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (error.isSent && call.method === "GET") this.#brokenReads += 1;
    }
    return null;
  }

  #write(entry: ClientEntry): Promise<void> {
    return this.#options.log.append(entry);
  }
}

function sessionIdOf({ status, body }: Answer): string | null {
  return status === 202 && typeof body.sessionId === "string" ? body.sessionId : null;
}
