import {
  type JsonObject,
  type JsonValue,
  type Operation,
  type OperationOutput,
  operations,
  parseTime,
} from "@opspawn/contract";
import type { Actor, Request } from "@opspawn/ops-core/testing";
import { Fleet } from "./agents/fleet.ts";
import type { AgentScript, TestHost, ToolScript } from "./agents/test-agent.ts";
import { definitionOf, missingFor } from "./definition.ts";
import { TestSession } from "./test-session.ts";
import { timelineOf } from "./timeline.ts";
import { micro } from "./world/latency.ts";
import { World } from "./world/world.ts";

export interface PlatformOptions {
  /** The same seed tells the same story. Default: 1. */
  readonly seed?: number;
  /** The time when it begins. Default: `2026-01-01T00:00:00Z`. */
  readonly now?: string;
}

export interface RunOptions {
  readonly agentId?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly delay?: string;
  /** Start it although nobody is registered yet who can do its steps. Default: false. */
  readonly allowMissing?: boolean;
}

const START = "2026-01-01T00:00:00Z";
const EVENTS_AT_ONCE = 1_000;
/** How long `runToEnd` runs at most, unless it is told otherwise. */
const TO_THE_END = "30d";
const DECIDES: Pick<Actor, "kind" | "agentId" | "open" | "scopes"> = {
  kind: "key",
  agentId: null,
  open: [],
  scopes: ["approvals:write"],
};

/**
 * The platform in memory, for tests: the engine, language and store that production runs, with a clock that moves only when
 * it is told to and agents that are functions. The same seed and the same calls tell the same story.
 *
 * @example
 * await using platform = await TestPlatform.start();
 * platform.agent("reader", { capabilities: ["text.read"], handle: ({ parameters }) => ({ text: "..." }), takes: "3s" });
 * const session = await platform.run(workflow, { url: "https://example.org" });
 * await platform.advance("10m");
 * assert.equal(session.status, "completed");
 */
export class TestPlatform implements AsyncDisposable {
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #began: number;
  readonly #sessions: TestSession[] = [];

  private constructor(world: World) {
    this.#world = world;
    this.#fleet = new Fleet(world);
    this.#began = world.now;
  }

  /** Starts a platform of its own; any number of them may run beside each other. */
  static async start({ seed = 1, now = START }: PlatformOptions = {}): Promise<TestPlatform> {
    const start = parseTime(now);
    if (start === null) throw new RangeError(`now: must be a time such as ${START}, not ${JSON.stringify(now)}`);
    return new TestPlatform(await World.start({ seed, start }));
  }

  /** The platform's time. */
  get now(): Date {
    return new Date(this.#world.now / 1_000);
  }

  /** An agent that does tasks from now on. */
  agent(name: string, script: AgentScript): TestHost {
    return this.#fleet.agent(name, script);
  }

  /** A tool that workflows can call from now on. */
  tool(name: string, script: ToolScript = {}): TestHost {
    return this.#fleet.tool(name, script);
  }

  /** Saves a workflow (an object, or its text in YAML or JSON), for steps that are workflows, and for schedules. */
  async apply(workflow: JsonObject | string): Promise<void> {
    const { document } = definitionOf(workflow);
    await this.call(operations.workflows.apply, { body: { definition: document } });
  }

  /**
   * Starts a workflow, and lets happen what needs no time.
   * @param workflow an object, its text in YAML or JSON, or the id of one that was applied
   * @throws OpspawnError as the API refuses it; Error when nobody can do one of its steps
   */
  async run(workflow: JsonObject | string, input: JsonValue = null, options: RunOptions = {}): Promise<TestSession> {
    const { allowMissing = false, agentId, labels, priority, delay } = options;
    const isId = typeof workflow === "string" && /^[\w.-]+$/.test(workflow);
    const definition = isId ? null : definitionOf(workflow);
    await this.#fleet.arrive();
    const missing = definition === null || allowMissing ? null : missingFor(definition.plan, this.#fleet.members);
    if (missing !== null) throw new Error(missing);
    const which = definition === null ? { workflowId: workflow as string } : { workflow: definition.document };
    const body = {
      ...which,
      ...(input === null ? {} : { input }),
      ...(agentId === undefined ? {} : { agentId }),
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(priority === undefined ? {} : { priority }),
      ...(delay === undefined ? {} : { delay }),
    };
    const { sessionId } = await this.call(operations.sessions.start, { body });
    return this.session(sessionId);
  }

  /** A session that was not started by `run`: a child's, a schedule's, or one of a retry. */
  async session(sessionId: string): Promise<TestSession> {
    const known = this.#sessions.find(({ id }) => id === sessionId);
    const view = await this.call(operations.sessions.get, { params: { sessionId } });
    const session = known ?? new TestSession(view);
    session.see(view);
    if (known === undefined) this.#sessions.push(session);
    return session;
  }

  /** Lets so much time pass, such as `10m`, and everything happen meanwhile. */
  async advance(duration: string): Promise<void> {
    await this.#fleet.arrive();
    await this.#world.runUntil(this.#world.now + micro(duration, "advance: "));
    await this.#look();
  }

  /** Lets everything happen for which no time has to pass. */
  async settle(): Promise<void> {
    await this.#fleet.arrive();
    await this.#world.settle();
    await this.#look();
  }

  /**
   * Lets time pass until every session has ended.
   * @throws Error that says what a session waits for, when it would wait for ever, or for longer than `within` (`30d`)
   */
  async runToEnd({ within = TO_THE_END }: { readonly within?: string } = {}): Promise<void> {
    await this.settle();
    const end = this.#world.now + micro(within, "within: ");
    for (;;) {
      const open = this.#sessions.filter((session) => !session.hasEnded);
      if (open.length === 0) return;
      const { process } = this.#world;
      const before = process?.transitions;
      const goesOn = await this.#world.step(end);
      if (!goesOn) throw new Error(await this.#whyOpen(open, within));
      if (this.#world.process?.transitions !== before || process !== this.#world.process) await this.#look();
    }
  }

  /** Approves what a session waits for. @param stepId default: the only approval that waits */
  approve(session: TestSession, stepId?: string, decision: Decision = {}): Promise<void> {
    return this.#decide(operations.approvals.approve, session, stepId, decision);
  }

  /** Rejects what a session waits for. @param stepId default: the only approval that waits */
  reject(session: TestSession, stepId?: string, decision: Decision = {}): Promise<void> {
    return this.#decide(operations.approvals.reject, session, stepId, decision);
  }

  /** Sends a signal to a session. */
  async signal(session: TestSession, name: string, payload: JsonValue = null): Promise<void> {
    await this.call(operations.sessions.signal, { params: { sessionId: session.id, name }, body: { payload } });
  }

  async cancel(session: TestSession, reason?: string): Promise<void> {
    const body = reason === undefined ? {} : { reason };
    await this.call(operations.sessions.cancel, { params: { sessionId: session.id }, body });
  }

  /** Does whatever the API can, as an operator; `operations` of `@opspawn/contract` lists it. */
  async call<Op extends Operation>(operation: Op, request: Request<Op>): Promise<OperationOutput<Op>> {
    await this.#fleet.arrive();
    const answer = await this.#world.call(operation, request);
    await this.#look();
    return answer;
  }

  /** What a session waits for, as `opspawn why` tells it. */
  async why(session: TestSession): Promise<string> {
    const { explanation } = await this.call(operations.sessions.why, { params: { sessionId: session.id } });
    return explanation.join("\n");
  }

  /** The server dies, and another one goes on with its data after a while. */
  async crash({ downFor = "1s" }: { readonly downFor?: string } = {}): Promise<void> {
    this.#world.crash(micro(downFor, "downFor: "));
    await this.#world.settle();
  }

  /** What happened so far, a line for each event: of one session, or of all. */
  async timeline(session?: TestSession): Promise<string[]> {
    const { process } = this.#world;
    const all = [];
    for (let after = 0; process !== null; ) {
      const page = await process.events(after, EVENTS_AT_ONCE);
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < EVENTS_AT_ONCE) break;
      after = last.position;
    }
    const told = session === undefined ? all : all.filter(({ stream }) => stream === session.id);
    return timelineOf(told, this.#began);
  }

  /** Ends it. Nothing stays open. */
  async close(): Promise<void> {
    this.#world.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #decide(
    operation: typeof operations.approvals.approve,
    session: TestSession,
    stepId: string | undefined,
    { by = "tester", comment }: Decision,
  ): Promise<void> {
    const query = { session: session.id, status: "pending" as const };
    const { items } = await this.call(operations.approvals.list, { query });
    const waiting = items.filter((each) => stepId === undefined || each.stepId === stepId);
    const [only] = waiting;
    if (only === undefined || waiting.length > 1) throw new Error(wrongApproval(session, stepId, items));
    const body = comment === undefined ? {} : { comment };
    const actor: Actor = { ...DECIDES, id: `key_${by}`, name: by };
    await this.#world.call(operation, { params: { approvalId: only.approvalId }, body }, { actor });
    await this.#look();
  }

  /** Shows each session as it is now. */
  async #look(): Promise<void> {
    if (this.#world.process === null) return;
    for (const session of this.#sessions) {
      if (session.hasEnded) continue;
      const params = { sessionId: session.id };
      session.see(await this.#world.call(operations.sessions.get, { params }));
    }
  }

  async #whyOpen(open: readonly TestSession[], within: string): Promise<string> {
    const [first] = open;
    const why = first === undefined ? "" : await this.why(first);
    const count = open.length === 1 ? "A session has" : `${open.length} sessions have`;
    const step =
      this.#world.process?.outlook().next === null ? "and nothing will happen by itself" : `within ${within}`;
    return `${count} not ended, ${step}. ${first?.id} is ${first?.status}:\n${why}\nGo on with approve, reject or signal, or register who is missing.`;
  }
}

export interface Decision {
  /** Who decides. Default: `tester`. */
  readonly by?: string;
  readonly comment?: string;
}

function wrongApproval(session: TestSession, stepId: string | undefined, items: readonly { stepId: string }[]): string {
  const named = stepId === undefined ? "One approval" : `An approval of step \`${stepId}\``;
  const waiting = items.map((each) => `\`${each.stepId}\``).join(", ");
  const what = waiting === "" ? "none waits" : `those that wait: ${waiting}`;
  return `${named} was to be decided in session ${session.id} (${session.status}); ${what}.`;
}
