import { type JsonObject, type JsonValue, operations } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "@opspawn/ops-core/testing";
import { answered, broken, type Host, unsent } from "../world/exchange.ts";
import { micro } from "../world/latency.ts";
import { Meter } from "../world/meter.ts";
import type { World } from "../world/world.ts";
import { type Behaviour, Reply } from "./reply.ts";
import { readSent, type Sent, type TestTask } from "./task.ts";

/** Decides what is done with a task, and how long it takes where its answer does not say: microseconds. */
export interface Conduct {
  decide(task: TestTask): Promise<Reply>;
  usualTime(): number;
}

export interface HostOptions {
  readonly world: World;
  readonly name: string;
  readonly kind: "agent" | "tool";
  readonly conduct: Conduct;
  /** Whether a result is told a second time, some time later. */
  readonly tellsTwice?: () => boolean;
}

/** Tries that it remembers, so that a message that comes twice is done once. */
const REMEMBERED = 1_000;
/** Microseconds until a result is told again. */
const TELLS_AGAIN_AFTER = 2_000_000;

/** One try at a task, however often it is asked for. */
interface Try {
  readonly ended: Promise<HttpResult>;
  readonly end: (result: HttpResult) => void;
}

/** An agent or a tool as the server sees it: something that is called, works for a while, and answers, or does not. */
export class ScriptedHost implements Host {
  readonly name: string;
  /** Tries under way. */
  readonly meter: Meter;
  /** What it was given, each try once. */
  readonly onTask: ((task: TestTask) => void)[] = [];
  readonly #options: HostOptions;
  readonly #tries = new Map<string, Try>();
  readonly #open = new Set<Try>();
  #isDead = false;
  #deaths = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.name = options.name;
    this.meter = new Meter(() => options.world.now);
  }

  /** Times it died. */
  get deaths(): number {
    return this.#deaths;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async receive(request: HttpPost): Promise<HttpResult> {
    if (this.#isDead) return unsent(`\`${this.name}\` is dead.`);
    const sent = readSent(request);
    const key = keyOf(sent);
    const known = this.#tries.get(key);
    if (known !== undefined) return known.ended;
    const begun = this.#begin();
    this.#remember(key, begun);
    const { world } = this.#options;
    void world.busy(() => this.#work(sent, begun)).catch((error: Error) => world.complain(error));
    return begun.ended;
  }

  /**
   * Its process dies with all that it has in hand.
   * @param back microseconds until it is there again; null = never
   */
  die(back: number | null): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#deaths += 1;
    for (const each of [...this.#open]) each.end(broken("connection_lost", `\`${this.name}\` died.`));
    // A process that starts again remembers nothing.
    this.#tries.clear();
    if (back !== null) this.#options.world.time.after(back, () => this.revive());
  }

  revive(): void {
    this.#isDead = false;
  }

  #remember(key: string, each: Try): void {
    this.#tries.set(key, each);
    const oldest = this.#tries.keys().next();
    if (this.#tries.size > REMEMBERED && oldest.done !== true) this.#tries.delete(oldest.value);
  }

  #begin(): Try {
    let resolve: (result: HttpResult) => void = () => undefined;
    const ended = new Promise<HttpResult>((settle) => {
      resolve = settle;
    });
    const begun: Try = {
      ended,
      end: (result) => {
        if (!this.#open.delete(begun)) return;
        this.meter.add(-1);
        resolve(result);
      },
    };
    this.#open.add(begun);
    this.meter.add(1);
    return begun;
  }

  async #work(sent: Sent, begun: Try): Promise<void> {
    const { world, conduct } = this.#options;
    const task = await this.#taskOf(sent);
    for (const hear of this.onTask) hear(task);
    const { behaviour, takes } = await conduct.decide(task).catch(failureOf);
    const isTimed = behaviour.kind !== "silence" && behaviour.kind !== "death";
    const time = takes === null ? conduct.usualTime() : micro(takes, "takes: ");
    if (isTimed && time > 0) await world.sleep(time);
    // Whoever died meanwhile says nothing more.
    if (this.#open.has(begun)) this.#answer(sent, begun, behaviour);
    // It has done the work and knows it: who asks again is told.
    if (behaviour.kind === "lost") this.#remember(keyOf(sent), completedTry(this.#resultOf(behaviour.result)));
  }

  #resultOf(result: JsonValue): HttpResult {
    return answered(200, this.#options.kind === "tool" ? result : completed(result));
  }

  async #taskOf(sent: Sent): Promise<TestTask> {
    const { world } = this.#options;
    const { taskId, name, sessionId, parameters, attempt, capability } = sent;
    const stepId = (await world.process?.stepOf(taskId)) ?? null;
    const sleep = (duration: string): Promise<void> => world.sleep(micro(duration, "sleep: "));
    return { taskId, stepId, name, sessionId, parameters, attempt, capability, sleep };
  }

  #answer(sent: Sent, begun: Try, behaviour: Behaviour): void {
    const { kind, world, tellsTwice } = this.#options;
    switch (behaviour.kind) {
      case "result":
        begun.end(this.#resultOf(behaviour.result));
        if (kind === "agent" && tellsTwice?.() === true) this.#tellAgain(sent, completed(behaviour.result));
        return;
      case "failure":
        begun.end(answered(200, kind === "tool" ? toolError(behaviour.message) : failed(behaviour)));
        return;
      case "status":
        begun.end(answered(behaviour.status, undefined, retryHeader(behaviour.retryAfter)));
        return;
      case "lost":
        begun.end(broken("connection_lost", "The connection was cut before the answer."));
        return;
      case "death": {
        const { after, back } = behaviour;
        const die = (): void => this.die(back === null ? null : micro(back, "back: "));
        world.time.after(micro(after, "after: "), die);
        return;
      }
      case "silence":
        return;
    }
  }

  /** By the result route, under its token, as an agent does that got no answer to what it told. */
  #tellAgain({ taskId, token }: Sent, outcome: JsonObject): void {
    const { world } = this.#options;
    world.time.after(TELLS_AGAIN_AFTER, () => {
      const body = { ...outcome, token } as never;
      // Refused or repeated: either is right.
      void world.busy(() => world.tell(operations.tasks.result, { params: { taskId }, body })).catch(() => undefined);
    });
  }
}

function keyOf({ taskId, attempt }: Sent): string {
  return `${taskId}/${attempt}`;
}

function completedTry(result: HttpResult): Try {
  return { ended: Promise.resolve(result), end: () => undefined };
}

function completed(result: JsonValue): JsonObject {
  return { status: "completed", result };
}

function failed({ message, code, retryable }: Extract<Behaviour, { kind: "failure" }>): JsonObject {
  return { status: "failed", error: { code, message, ...(retryable === undefined ? {} : { retryable }) } };
}

/** The way of the originals' tools. */
function toolError(message: string): JsonObject {
  return { status: "error", error_message: message };
}

function retryHeader(seconds: number | null): Record<string, string> {
  return seconds === null ? {} : { "retry-after": String(Math.ceil(seconds)) };
}

/** What code throws is a task that failed, as it is for agents made with the library. */
function failureOf(error: unknown): Reply {
  const fields = (error instanceof Error ? error : {}) as { readonly code?: unknown; readonly retryable?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  const code = typeof fields.code === "string" ? fields.code : "agent_error";
  const rest = typeof fields.retryable === "boolean" ? { retryable: fields.retryable } : {};
  return new Reply({ kind: "failure", message: message === "" ? "It failed." : message, code, ...rest });
}
