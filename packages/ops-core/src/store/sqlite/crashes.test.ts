import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { HOUR } from "../../domain/clock.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "../suite/test-definitions.ts";
import { apply, FAILS, ONCE, undoable, workers } from "../suite/test-language.ts";
import { failed, succeeded, World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { openedOn, recycle } from "./test-rigs.ts";

/** A connection whose process dies at one of its commits: before it, or when it is on disk and nobody knows. */
class DyingDatabase extends KeptDatabase {
  commits = 0;
  dies: { readonly at: number; readonly when: "before" | "after" } | null = null;

  override transaction(which: Parameters<KeptDatabase["transaction"]>[0]): void {
    if (which !== "commit" || this.deaf || ++this.commits !== this.dies?.at) {
      super.transaction(which);
      return;
    }
    if (this.dies.when === "after") super.transaction("commit");
    this.deaf = true;
    throw new Error("killed");
  }

  /** The next process finds what was committed. */
  revive(): void {
    this.deaf = false;
    if (this.inTransaction) this.exec("rollback");
  }
}

const EACH = step("each", {
  forEach: "input.list",
  concurrency: 2,
  parameters: { do: "${{ 'item ' + item }}" },
  compensate: { agentCapability: "undo", parameters: { undo: "${{ 'item ' + item }}" } },
});
const TASKS: JsonObject[] = [
  undoable("first"),
  step("never", { when: "input.list.size() > 9" }),
  EACH,
  step("loop", {
    parameters: { do: "${{ 'run ' + string(iteration) }}" },
    repeat: { until: "iteration == 1", maxIterations: 3 },
  }),
  { taskId: "call", workflow: { id: "child", input: { n: "${{ steps.each.results[0] }}" } } },
  { taskId: "ask", approval: { message: "Go?", timeout: "2h", onReject: "sorry" } },
  { taskId: "pause", wait: { for: "1h" } },
  step("shaky", { parameters: { do: "shaky" }, fallback: "firm", ...ONCE }),
  undoable("last", ONCE),
  step("firm", { parameters: { do: "firm" } }),
  step("sorry"),
];
const CHILD = workflow([{ taskId: "word", wait: { signal: "go" } }, undoable("inner")], { id: "child", input: {} });

/** What is done, in order, when nothing goes wrong. */
const WORK = ["first", "item a", "item b", "item c", "run 0", "run 1", "inner", "shaky", "firm", "last"];

/** Agents that do each task once, however often they are sent it; and somebody who decides and signals. */
class Users {
  readonly world: World;
  readonly #done = new Map<string, JsonValue | typeof FAILS>();
  /** What was done, in order. */
  readonly effects: string[] = [];
  readonly #fails: ReadonlySet<string>;

  constructor(world: World, fails: readonly string[]) {
    this.world = world;
    this.#fails = new Set(fails);
  }

  /** One round of everything that can be done now. */
  async act(root: string): Promise<void> {
    const { raw, sent } = this.world;
    const before = this.effects.length;
    await raw.attempts.adopt(100);
    await raw.tasks.claimLanes(100);
    for (let next = sent.shift(); next !== undefined; next = sent.shift()) await this.#work(next);
    const { items: sessions } = await raw.sessions.list({ limit: 9 }, {});
    for (const { id } of sessions) if (id !== root) await this.#signal(id);
    const { items } = await raw.approvals.list({ limit: 9 }, { status: "pending" });
    for (const { id } of items) await raw.approvals.decide(id, { approved: true, by: "ann", comment: null });
    // Time passes while nobody is at work.
    if (this.effects.length > before) return;
    this.world.clock.advance(HOUR);
    await raw.process.beat();
    await raw.attempts.expire(100);
  }

  async #work({ taskId, token, parameters }: ClaimedAttempt): Promise<void> {
    const result = this.#done.get(taskId) ?? this.#do(JSON.parse(parameters) as JsonObject);
    this.#done.set(taskId, result);
    const outcome = result === FAILS ? failed("rejected", "result") : succeeded(result);
    await this.world.raw.attempts.settle(taskId, token, outcome);
  }

  #do({ do: name, undo }: JsonObject): JsonValue | typeof FAILS {
    const effect = name === undefined ? `undo ${String(undo)}` : String(name);
    this.effects.push(effect);
    return this.#fails.has(effect) ? FAILS : effect;
  }

  async #signal(sessionId: string): Promise<void> {
    const steps = await this.world.raw.sessions.steps(sessionId);
    if (!steps.some(({ signal }) => signal === "go")) return;
    const idempotency = { actor: "ann", operation: "signal", key: sessionId, bodyHash: "go" };
    await this.world.raw.sessions.signal({ sessionId, name: "go", payload: "1", idempotency });
  }
}

interface Run {
  readonly effects: readonly string[];
  readonly ended: readonly unknown[];
  readonly commits: number;
}

/** Runs a session with everything the language has to its end, through a death on the way. */
async function runThrough(fails: readonly string[], dies: DyingDatabase["dies"]): Promise<Run> {
  const db = spare.pop() ?? new DyingDatabase();
  const world = await World.open({
    open: async (ports) => {
      db.revive();
      return openedOn(db, ports, ":memory:", () => {
        db.deaf = true;
      });
    },
    remove: async () => undefined,
  });
  try {
    await workers(world);
    await apply(world, CHILD);
    const definition = workflow(TASKS, { onFailure: "compensate", output: "${{ steps.shaky.result }}" });
    const { id } = await world.start(definition, { data: { list: ["a", "b", "c"] } });
    const users = new Users(world, fails);
    db.commits = 0;
    db.dies = dies;
    for (let rounds = 0; (await world.getSession(id)).endedAt === null; rounds += 1) {
      assert.ok(rounds < 500, "it does not end");
      try {
        await users.act(id);
      } catch (error) {
        if (!db.deaf) throw error;
        await world.crash();
        world.audit();
      }
    }
    const { commits } = db;
    db.dies = null;
    await world.verify();
    const session = await world.getSession(id);
    const steps = Object.values(await world.steps(id));
    return { effects: users.effects, ended: [session.status, session.result, session.compensation, steps], commits };
  } finally {
    await world.close();
    db.dies = null;
    recycle(db, spare);
  }
}

const spare: DyingDatabase[] = [];

for (const [how, fails, undone] of [
  ["completes", ["shaky"], []],
  ["fails and is undone", ["shaky", "last"], ["undo item c", "undo item b", "undo item a", "undo first"]],
] as const) {
  test(`a session with all kinds of steps ${how}, whichever commit its process dies at: nothing is lost or done twice`, async () => {
    const calm = await runThrough(fails, null);
    assert.deepEqual(calm.effects, [...WORK, ...undone]);
    assert.ok(calm.commits > 20);
    for (const when of ["before", "after"] as const) {
      for (let at = 1; at <= calm.commits; at += 1) {
        const { effects, ended } = await runThrough(fails, { at, when });
        assert.deepEqual([effects.toSorted(), ended], [calm.effects.toSorted(), calm.ended], `${when} commit ${at}`);
        assert.deepEqual(effects.slice(WORK.length), undone, `${when} commit ${at}`);
      }
    }
  });
}
