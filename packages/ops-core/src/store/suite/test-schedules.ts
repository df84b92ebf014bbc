import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../../domain/clock.ts";
import type { FireRecord, NewSchedule, ScheduleRecord, Timing } from "../../domain/schedules/schedule.ts";
import { readDefinition } from "../../domain/workflows/definition.ts";
import { need, type World } from "./test-world.ts";

/** When worlds begin. */
const START = 1_750_000_000 * SECOND;

/** Every so many seconds from the start of the world. */
export function every(seconds: number): Timing & { kind: "every" } {
  return { kind: "every", every: seconds * SECOND, anchor: START };
}

/** Saves a workflow. */
export async function applied(w: World, document: JsonObject): Promise<void> {
  const { plan, hash, text } = readDefinition(document, [], "original");
  const { id, version, name, description, steps } = plan;
  const stored = { id, version, name, description, steps: steps.length, hash, document: text, appliedAt: 0 };
  await w.store.workflows.apply(stored);
}

function newSchedule(w: World, options: Partial<NewSchedule> = {}): NewSchedule {
  return {
    id: `sch_${w.ids.uuid()}`,
    name: "nightly",
    workflowId: "flow",
    workflowVersion: null,
    input: null,
    agentId: null,
    labels: {},
    timing: every(60),
    startAt: null,
    endAt: null,
    overlap: "skip",
    catchUp: "one",
    catchUpWindow: 3_600 * SECOND,
    paused: false,
    note: null,
    ...options,
  };
}

/** Creates a schedule; its id. */
export async function scheduled(w: World, options: Partial<NewSchedule> = {}): Promise<string> {
  return (await w.store.schedules.create(newSchedule(w, options))).schedule.id;
}

export async function getSchedule(w: World, id: string): Promise<ScheduleRecord> {
  return need(await w.store.schedules.get(id), `schedule ${id}`);
}

/** Time passes, and whatever falls due is fired within a tenth of a second. */
export async function fireUntil(w: World, seconds: number): Promise<void> {
  const end = w.clock.now() + seconds * SECOND;
  do {
    w.clock.advance(Math.min(SECOND / 10, end - w.clock.now()));
    while ((await w.store.schedules.fire(100)) > 0);
  } while (w.clock.now() < end);
}

/** What became of the due times so far, oldest first, in seconds since the start of the world. */
export async function firesOf(w: World, id: string): Promise<string[]> {
  const fires: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await w.store.schedules.fires(id, { limit: 200, cursor }, {});
    fires.push(...page.items.map(fireText));
    cursor = page.nextCursor;
  }
  return fires.reverse();
}

function fireText({ dueAt, lastDueAt, outcome, count }: FireRecord): string {
  const seconds = (micros: number) => (micros - START) / SECOND;
  const range = lastDueAt === dueAt ? "" : `-${seconds(lastDueAt)}`;
  return `${seconds(dueAt)}${range} ${outcome}${outcome === "missed" ? ` ${count}` : ""}`;
}
