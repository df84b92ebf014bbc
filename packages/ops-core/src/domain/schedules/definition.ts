import { type JsonValue, type OperationInput, type operations, stringifyJson } from "@opspawn/contract";
import { needAgent } from "../agents/view.ts";
import { SECOND } from "../clock.ts";
import type { Ports } from "../ports.ts";
import { invalidField, readDuration, readTime } from "../request-fields.ts";
import { checkStart } from "../sessions/start.ts";
import { workflowNotFound } from "../workflows/view.ts";
import { cronProblem, isTimeZone } from "./cron.ts";
import {
  DUE_LABEL,
  EVERY_MAX,
  EVERY_MIN,
  LABELS_MAX,
  SCHEDULE_LABEL,
  type ScheduleDefinition,
  type Timing,
  WINDOW_MAX,
} from "./schedule.ts";
import { dueAfter } from "./series.ts";

export type DefinitionBody = OperationInput<typeof operations.schedules.update>["body"];

/**
 * Reads what a schedule is to start, and when; whatever it would fail at now is refused now.
 * @param before what it replaces
 * @throws OpspawnError `invalid_request`, `workflow_not_found`, `agent_not_found`, `no_target`, `input_invalid`
 */
export async function readSchedule(
  ports: Ports,
  body: DefinitionBody,
  before: ScheduleDefinition | null = null,
): Promise<ScheduleDefinition> {
  const definition = readFields(body, before, ports.clock.now());
  if (dueAfter(definition, ports.clock.now()) === null) {
    const field = definition.endAt === null ? "cron" : "endAt";
    throw invalidField(["body", field], "no due time is left, so it would never start anything");
  }
  await checkSession(ports, body);
  return definition;
}

function readFields(body: DefinitionBody, before: ScheduleDefinition | null, now: number): ScheduleDefinition {
  const startAt = readTime(body.startAt, ["body", "startAt"]) ?? null;
  const endAt = readTime(body.endAt, ["body", "endAt"]) ?? null;
  if (startAt !== null && endAt !== null && endAt <= startAt) {
    throw invalidField(["body", "endAt"], "must be after startAt");
  }
  const window = readDuration(body.catchUpWindow, ["body", "catchUpWindow"], WINDOW_MAX, "7d");
  if (window < SECOND) throw invalidField(["body", "catchUpWindow"], "must be at least 1s");
  return {
    name: readName(body.name),
    workflowId: body.workflowId,
    workflowVersion: body.version ?? null,
    input: body.input == null ? null : stringifyJson(body.input as JsonValue),
    agentId: body.agentId ?? null,
    labels: readLabels(body.labels),
    timing: readTiming(body, before?.timing, startAt ?? now),
    startAt,
    endAt,
    overlap: body.overlap,
    catchUp: body.catchUp,
    catchUpWindow: window,
  };
}

/** Names stand where ids do, so they must not look like one. */
function readName(name: string): string {
  if (name.startsWith("sch_")) throw invalidField(["body", "name"], "must not begin with sch_, as ids do");
  return name;
}

function readLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const own of [SCHEDULE_LABEL, DUE_LABEL]) {
    if (Object.hasOwn(labels, own)) throw invalidField(["body", "labels", own], "is set by the schedule itself");
  }
  if (Object.keys(labels).length > LABELS_MAX) throw invalidField(["body", "labels"], `At most ${LABELS_MAX} labels`);
  return labels;
}

function readTiming(body: DefinitionBody, before: Timing | undefined, start: number): Timing {
  const { cron, timeZone, every, anchor } = body;
  if ((cron === undefined) === (every === undefined)) {
    throw invalidField(["body", "cron"], "give either cron or every, and not both");
  }
  if (cron !== undefined) {
    if (anchor !== undefined) throw invalidField(["body", "anchor"], "belongs to every");
    return readCron(cron, timeZone ?? "UTC");
  }
  if (timeZone !== undefined) throw invalidField(["body", "timeZone"], "belongs to cron");
  const period = readDuration(every ?? "", ["body", "every"], EVERY_MAX, "366d");
  if (period < EVERY_MIN) throw invalidField(["body", "every"], "must be at least 1s");
  // The same interval goes on from where it was.
  const kept = before?.kind === "every" && before.every === period ? before.anchor : start;
  return { kind: "every", every: period, anchor: readTime(anchor, ["body", "anchor"]) ?? kept };
}

function readCron(cron: string, timeZone: string): Timing {
  const problem = cronProblem(cron);
  if (problem !== null) throw invalidField(["body", "cron"], problem);
  if (!isTimeZone(timeZone)) {
    throw invalidField(["body", "timeZone"], "is no IANA time zone, such as Europe/Berlin or UTC");
  }
  return { kind: "cron", cron, timeZone };
}

async function checkSession({ store, plans }: Ports, body: DefinitionBody): Promise<void> {
  const workflow = await store.workflows.get(body.workflowId, body.version);
  if (workflow === null) throw workflowNotFound(body.workflowId, body.version);
  const agentId = body.agentId ?? null;
  if (agentId !== null) await needAgent(store, agentId);
  const plan = plans.of(workflow.hash, workflow.document);
  checkStart(plan, { agentId, input: (body.input ?? null) as JsonValue, inputLoc: ["body", "input"] });
}
