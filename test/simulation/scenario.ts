import { AssertionError } from "node:assert/strict";
import type { FailpointName } from "../../packages/ops-core/src/domain/failpoint.ts";
import type { StoredEvent } from "../../packages/ops-core/src/domain/store.ts";
import { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";
import { checkAll } from "../checker/checker.ts";
import { evidenceOf, Rows } from "../checker/evidence.ts";
import { findingsOf } from "../checker/findings.ts";
import { SimulatedAgent } from "./agents.ts";
import { Chat } from "./chat.ts";
import { Client } from "./client.ts";
import { Guests } from "./guests.ts";
import { courseOf } from "./judges/course.ts";
import { endpointsOf } from "./judges/endpoints.ts";
import { programCourseOf } from "./judges/program-course.ts";
import { programsOf } from "./judges/program-story.ts";
import { storiesOf } from "./judges/session-story.ts";
import { voicesOf } from "./judges/voices.ts";
import { saveChild, UNDO } from "./language.ts";
import { Simulation } from "./simulation.ts";
import { Voice } from "./voice.ts";
import { Watcher } from "./watcher.ts";
import type { Manner } from "./work.ts";
import { CAPABILITIES } from "./workflows.ts";

const TROUBLE_MS = 34_000;
const DRAIN_MS = 400_000;
const MANNERS: readonly Manner[] = ["answers", "posts", "names", "states", "pulls"];
/** Where a process may be killed that serves; those of its start come by themselves when they are armed. */
const POINTS: readonly FailpointName[] = [
  "store.before-commit",
  "store.after-commit",
  "store.before-next-step",
  "engine.before-send",
  "engine.after-send",
  "outbox.after-send",
];

/** What became of a seed. */
export interface Told {
  readonly seed: number;
  /** Milliseconds that passed in its world. */
  readonly simulated: number;
  readonly events: readonly StoredEvent[];
  readonly sessions: number;
  readonly tasks: number;
  /** How often each thing went wrong. */
  readonly faults: ReadonlyMap<string, number>;
  /** Every statement that a server has made. */
  readonly statements: ReadonlySet<string>;
  /** What must not have happened; nothing, when all is well. */
  readonly findings: readonly string[];
  /** What happened, as far as the findings are concerned. */
  readonly story: readonly string[];
  /** All that happened. */
  readonly tale: readonly string[];
}

/** One seed, from its first request to the end of everything. Never rejects for what went wrong in its world. */
export async function simulate(seed: number): Promise<Told> {
  const sim = new Simulation(seed);
  await sim.start();
  const findings: string[] = [];
  let events: readonly StoredEvent[] = [];
  try {
    const cast = castOf(sim, new TestIds(seed + 1));
    findings.push(...(await live(sim, cast)));
    events = await allEvents(sim);
    findings.push(...(await judged(sim, cast)));
  } catch (error) {
    findings.push(...wordsOf(error));
    events = await allEvents(sim).catch(() => []);
  }
  for (const { type, data } of events) {
    if (type === "agent.health_changed") sim.count(`agent found ${data.to}`);
    if (type === "attempt.suspect" || type === "attempt.recovered") sim.count(type);
  }
  const story = findings.length === 0 ? [] : sim.story.about(findings.join("\n"), events);
  const tale = sim.story.whole(events);
  const made = (type: string) => events.filter((event) => event.type === type).length;
  await sim.world.close().catch((error: unknown) => findings.push(`the store does not close: ${error}`));
  return {
    seed,
    simulated: sim.now,
    sessions: made("session.started"),
    tasks: made("task.created"),
    events,
    faults: sim.faults,
    statements: sim.statements,
    findings,
    story,
    tale,
  };
}

/** What an error says; of a list that should be empty, its entries. */
function wordsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const actual: unknown = error instanceof AssertionError ? error.actual : undefined;
  return Array.isArray(actual) && actual.length > 0 ? actual.map(String) : [error.message];
}

/** Who is there, beside the client. */
interface Cast {
  readonly agents: readonly SimulatedAgent[];
  readonly watcher: Watcher;
  readonly voice: Voice;
  readonly guests: Guests;
}

function castOf(sim: Simulation, chance: TestIds): Cast {
  const agents = Array.from({ length: 6 }, (_, i) => {
    const manner = MANNERS[i] ?? sim.pick(MANNERS);
    const capabilities = CAPABILITIES.filter(() => i < 2 || sim.roll(0.6));
    const own = i < 3 ? [...capabilities, UNDO] : capabilities;
    return new SimulatedAgent(sim, `${manner}${i}`, manner, own);
  });
  const voice = new Voice(sim);
  return { agents, watcher: new Watcher(sim, chance), voice, guests: new Guests(sim, agents, voice) };
}

/** What is wrong in the end. */
async function live(sim: Simulation, { agents, watcher, voice, guests }: Cast): Promise<string[]> {
  const client = new Client(sim, agents, voice);
  for (const agent of agents) {
    sim.hosts.set(`${agent.name}.test`, agent);
    await persist(() => agent.register(), sim);
    agent.live();
  }
  sim.hosts.set("receiver.test", client);
  await persist(() => saveChild(sim), sim);
  const partners = agents.filter(({ manner }) => manner === "answers" || manner === "posts");
  sim.chat = new Chat(sim, partners);
  client.ask();
  void voice.decide();
  void watcher.watch(() => client.asked);
  sim.chat.talk();
  guests.begin();
  sim.later(5_000, () => trouble(sim, agents));
  await sim.run(TROUBLE_MS, async () => false);
  sim.healed = true;
  const isDone = async () =>
    client.isContent &&
    sim.chat.isContent &&
    guests.isContent &&
    guests.open().length === 0 &&
    (await openWork(sim)).length === 0 &&
    unproved(sim).length === 0 &&
    (await watcher.isUpToDate());
  if (!(await sim.run(DRAIN_MS, isDone))) {
    const open = [...(await openWork(sim)), ...unproved(sim), ...guests.open()];
    return [`after ${DRAIN_MS} ms there are still open: ${open.join(", ")}`];
  }
  await sim.verify();
  return [...sim.complaints, ...sim.chat.missing()];
}

/** Something of the machine goes wrong, again and again. */
function trouble(sim: Simulation, agents: readonly SimulatedAgent[]): void {
  if (sim.healed) return;
  const deeds = [
    () => sim.kill("any moment"),
    () => sim.life.arm(sim.pick(POINTS)),
    () => sim.life.arm(sim.pick(POINTS)),
    () => sim.stall(sim.between(2_000, 9_000)),
    () => sim.cut(`${sim.pick(agents).name}.test`, sim.between(500, 14_000)),
    () => sim.spoilDisk(sim.between(100, 1_500)),
    () => sim.pick(agents).sicken(sim.between(2_000, 14_000)),
    () => sim.pick(agents).effort.breakDown(sim.between(4_000, 20_000)),
    () => sim.pick(agents).effort.breakDown(sim.between(4_000, 20_000)),
  ];
  sim.pick(deeds)();
  sim.later(sim.between(2_000, 9_000), () => trouble(sim, agents));
}

/** Again and again, while requests are lost. */
async function persist(deed: () => Promise<void>, sim: Simulation): Promise<void> {
  let done = false;
  void deed().then(
    () => {
      done = true;
    },
    () => undefined,
  );
  await sim.run(1_000, async () => done);
  if (!done) await persist(deed, sim);
}

/** Agents that could show that they work again, and have not. */
function unproved(sim: Simulation): string[] {
  const sql = `select a.name from quarantines q join agents a on a.id = q.agent_id where a.probe is not null`;
  return sim.look<{ name: string }>(sql).map(({ name }) => name);
}

async function openWork(sim: Simulation): Promise<string[]> {
  const { tasks, sessions, deliveries } = sim.world.raw;
  const page = { limit: 200 };
  const open: { id: string }[] = [];
  for (const status of ["pending", "running"]) open.push(...(await tasks.list(page, { status })).items);
  for (const status of ["started", "running", "waiting"]) open.push(...(await sessions.list(page, { status })).items);
  open.push(...(await deliveries.list(page, { status: "pending" })).items);
  open.push(...sim.look<{ id: string }>("select id from cancellations where ended_at is null"));
  return open.map(({ id }) => id);
}

/** The checker's findings, over the database and what agents and clients have written down. */
async function judged(sim: Simulation, { watcher, voice, guests }: Cast): Promise<string[]> {
  // One connection owns the file.
  await sim.world.raw.close();
  const db = new Rows(sim.path);
  try {
    const { client, effects } = sim;
    const streams = watcher.logs;
    const evidence = evidenceOf({ db, client, effects, streams, isDrained: true, isPunctual: false });
    const courses = storiesOf(db, evidence.history).flatMap((story) => [...courseOf(story)]);
    const programs = programsOf(db, evidence.history).flatMap((story) => [...programCourseOf(story)]);
    const others = [...voicesOf(db, evidence.history, voice), ...guests.judge(db, evidence.history)];
    return [...findingsOf({ judgements: checkAll(evidence) }), ...courses, ...programs, ...others, ...endpointsOf(db)];
  } finally {
    db.close();
  }
}

async function allEvents(sim: Simulation): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await sim.world.raw.events.list(events.at(-1)?.position ?? 0, 500);
    events.push(...page);
    if (page.length === 0) return events;
  }
}
