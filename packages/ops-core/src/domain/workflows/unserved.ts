import { type Issue, isJsonObject, type JsonObject } from "@opspawn/contract";
import type { Loc } from "../issues.ts";
import { nearest } from "../nearest.ts";
import type { Store } from "../store.ts";
import type { PlanStep, StepTarget, WorkflowPlan } from "./plan.ts";

/** Different agents, tools and workflows that are looked up for one definition; what is beyond them is not warned about. */
const WANTS_MAX = 100;
/** Agents whose capabilities are looked through for one that may have been meant. */
const AGENTS_LOOKED_AT = 200;

/** Somebody or something that a step cannot do without. */
type Want =
  | StepTarget
  | { readonly kind: "tool"; readonly tool: string }
  | { readonly kind: "workflow"; readonly id: string; readonly version: string | null };

interface Place {
  readonly loc: Loc;
  readonly want: Want;
}

/**
 * What a definition wants that is not there now. It may come before a session gets that far, so these are warnings: the
 * tasks would wait for it.
 * @param document the definition that `plan` is made from
 */
export async function unserved(store: Store, plan: WorkflowPlan, document: JsonObject): Promise<Issue[]> {
  const answers = new Map<string, Promise<Missing | null>>();
  const look: Look = { store, plan };
  const warnings: Issue[] = [];
  for (const { loc, want } of placesOf(plan, document)) {
    const key = JSON.stringify(want);
    if (!answers.has(key) && answers.size >= WANTS_MAX) continue;
    const answer = answers.get(key) ?? lookUp(look, want);
    answers.set(key, answer);
    const missing = await answer;
    if (missing !== null) warnings.push({ loc: [...loc], ...missing });
  }
  return warnings;
}

function placesOf(plan: WorkflowPlan, { tasks }: JsonObject): Place[] {
  const written = Array.isArray(tasks) ? tasks.map((task) => (isJsonObject(task) ? task.taskId : null)) : [];
  return plan.steps.flatMap((step) => wantsOf(step, ["tasks", written.indexOf(step.id)]));
}

function wantsOf(step: PlanStep, loc: Loc): Place[] {
  const { workflow, compensation, onUncertain } = step;
  const places: Place[] = [
    ...ofTarget(step.target, loc),
    ...ofTarget(step.fallback, [...loc, "fallback"]),
    ...ofTool(step.tool, loc),
    ...ofTarget(compensation?.target ?? null, [...loc, "compensate"]),
    ...ofTool(compensation?.tool ?? null, [...loc, "compensate"]),
    ...ofTool(onUncertain?.kind === "verify" ? onUncertain.check.tool : null, [...loc, "onUncertain", "verify"]),
  ];
  if (workflow !== null) {
    const { id, version } = workflow;
    places.push({ loc: [...loc, "workflow", "id"], want: { kind: "workflow", id, version } });
  }
  return places;
}

const TARGET_FIELD = { agent: "agentId", agentName: "agentName", capability: "agentCapability" } as const;

function ofTarget(want: StepTarget | null, loc: Loc): Place[] {
  return want === null ? [] : [{ loc: [...loc, TARGET_FIELD[want.kind]], want }];
}

function ofTool(tool: string | null, loc: Loc): Place[] {
  return tool === null ? [] : [{ loc: [...loc, "tool"], want: { kind: "tool", tool } }];
}

type Missing = Omit<Issue, "loc">;

const LATER = "; what needs it will wait until one is registered";
const NO_TOOL: Missing = { type: "no_tool", msg: `no tool has this name now${LATER}` };

/** One look at what there is. */
interface Look {
  readonly store: Store;
  readonly plan: WorkflowPlan;
  /** Capabilities that somebody has, once they were asked for. */
  known?: Promise<readonly string[]>;
}

/** Null when it is there. */
async function lookUp(look: Look, want: Want): Promise<Missing | null> {
  const { store } = look;
  switch (want.kind) {
    case "agent":
      return unless(await store.agents.get(want.agentId), noAgent("no agent has this id now"));
    case "agentName":
      return unless(await store.agents.getByName(want.agentName), noAgent("no agent has this name now"));
    case "capability":
      return lookUpCapability(look, want.capability);
    case "tool":
      return unless(await store.tools.get(want.tool), NO_TOOL);
    case "workflow":
      return lookUpWorkflow(look, want);
  }
}

function unless(known: object | null, missing: Missing): Missing | null {
  return known === null ? missing : null;
}

function noAgent(what: string): Missing {
  return { type: "no_agent", msg: `${what}${LATER}` };
}

async function lookUpCapability(look: Look, capability: string): Promise<Missing | null> {
  const { items } = await look.store.agents.list({ limit: 1 }, { capability });
  if (items.length > 0) return null;
  return noAgent(`no agent has this capability now${await hint(look, capability)}`);
}

async function lookUpWorkflow(
  { store, plan }: Look,
  { id, version }: Extract<Want, { kind: "workflow" }>,
): Promise<Missing | null> {
  const isItself = id === plan.id && (version === null || version === plan.version);
  if (isItself || (await store.workflows.get(id, version ?? undefined)) !== null) return null;
  const what = version === null ? "no workflow has this id now" : "no such version of this workflow is known now";
  return { type: "no_workflow", msg: `${what}; apply it before a session gets here, or the step will fail` };
}

async function hint(look: Look, wanted: string): Promise<string> {
  look.known ??= knownCapabilities(look.store);
  const similar = nearest(wanted, await look.known).map((name) => `\`${name}\``);
  return similar.length === 0 ? "" : ` (the nearest: ${similar.join(", ")})`;
}

async function knownCapabilities(store: Store): Promise<readonly string[]> {
  const { items } = await store.agents.list({ limit: AGENTS_LOOKED_AT }, {});
  return [...new Set(items.flatMap(({ capabilities }) => capabilities))];
}
