import type { JsonObject, JsonValue } from "@opspawn/contract";
import { STEP_RETRY } from "../../packages/ops-core/src/domain/tasks/retry.ts";
import type { RetryPolicy } from "../../packages/ops-core/src/domain/workflows/plan.ts";
import { randomLimits } from "./limits.ts";
import type { Simulation } from "./simulation.ts";
import { randomTool } from "./toolbox.ts";

export const CAPABILITIES = ["read", "write", "check"];
/** A step whose parameters say so takes nothing but text, and its agent may know it. */
const WANTS_TEXT = { wants: "text" };

const NEEDS_BEFORE = { properties: { before: { properties: { result: { type: "string" } } } } };

const RETRIES: readonly JsonObject[] = [
  { maxAttempts: 5, initialDelay: "100ms", maxDelay: "2s" },
  { maxAttempts: 1 },
  { maxAttempts: 2, initialDelay: "300ms", maxDelay: "1s", jitter: "none" },
  { maxAttempts: 3, initialDelay: "6s", maxDelay: "12s", jitter: "none" },
  { maxAttempts: 3, initialDelay: "500ms", maxDelay: "500ms", backoff: "fixed", jitter: "none" },
  { maxAttempts: 4, initialDelay: "200ms", maxDelay: "3s", on: ["timeout", "lost"] },
  { maxAttempts: 4, initialDelay: "200ms", maxDelay: "3s", on: ["unavailable", "agent_error"] },
];

const TASK_RETRIES: readonly RetryPolicy[] = [
  { ...STEP_RETRY, maxAttempts: 4, initialDelay: 100_000, maxDelay: 2_000_000 },
  { ...STEP_RETRY, maxAttempts: 3, initialDelay: 1_000_000, maxDelay: 9_000_000, jitter: "none" },
  { ...STEP_RETRY, maxAttempts: 1 },
];

export function taskRetry(sim: Simulation): RetryPolicy {
  return sim.pick(TASK_RETRIES);
}

/** Some steps, each waiting for some of those before it. @param agents names of agents a step may want */
export function randomWorkflow(sim: Simulation, agents: readonly string[], hasPathAgent: boolean): JsonObject {
  const size = sim.between(1, 5);
  const tasks = Array.from({ length: size }, (_, i) => randomStep(sim, i, { agents, hasPathAgent }));
  const id = `flow${sim.between(1, 1_000_000_000)}`;
  // Whoever wants one agent only, waits for ever when it has gone.
  const deadline = hasPathAgent || sim.roll(0.15) ? `${sim.between(3, 20)}s` : "3m";
  const limits = sim.roll(0.15) ? randomLimits(sim, ["k0", "k1"]) : {};
  return { id, name: id, tasks, deadline, onFailure: sim.pick(["fail", "continue"]), ...randomOutput(sim), ...limits };
}

interface Around {
  readonly agents: readonly string[];
  readonly hasPathAgent: boolean;
}

function randomStep(sim: Simulation, index: number, { agents, hasPathAgent }: Around): JsonObject {
  const dependsOn = Array.from({ length: index }, (_each, j) => `s${j}`).filter(() => sim.roll(0.5));
  const step: JsonObject = { taskId: `s${index}`, dependsOn, retry: sim.pick(RETRIES), parameters: {} };
  const parameters: JsonObject = {};
  const tool = randomTool(sim);
  Object.assign(step, tool === null ? randomDoer(sim, agents, hasPathAgent) : { tool });
  if (sim.roll(0.7)) step.onFailure = sim.pick(["fail", "continue"]);
  Object.assign(step, randomBounds(sim, tool !== null));
  if (sim.roll(0.2)) step.priority = sim.between(-1, 1);
  if (sim.roll(0.15)) Object.assign(step, randomLimits(sim, ["k0", "k1", "k2"]));
  if (sim.roll(0.3)) {
    Object.assign(parameters, WANTS_TEXT);
    step.output = { schema: { type: "string" } };
  }
  if (tool === null && sim.roll(0.25)) Object.assign(step, randomPayment(sim, parameters));
  const read = dependsOn.length > 0 && sim.roll(0.3) ? sim.pick(dependsOn) : null;
  if (read !== null) {
    parameters.before = { step: read, result: `\${{ steps.${read}.result }}` };
    // Nothing is read of a step that failed and was passed over.
    if (sim.roll(0.5)) step.input = { schema: NEEDS_BEFORE };
  }
  return { ...step, parameters };
}

/** @param isCall nobody says how far a call has come */
function randomBounds(sim: Simulation, isCall: boolean): JsonObject {
  const bounds: JsonObject = {};
  if (sim.roll(0.15)) bounds.deadline = `${sim.between(2, 10)}s`;
  if (sim.roll(0.15)) bounds.timeout = `${sim.between(2, 9)}s`;
  if (!isCall && sim.roll(0.2)) bounds.silenceTimeout = `${sim.between(2, 5)}s`;
  return bounds;
}

/** It takes a payment; the step's fields for when nobody knows whether that happened. */
export function randomPayment(sim: Simulation, parameters: JsonObject): JsonObject {
  parameters.pays = true;
  return sim.roll(0.7) ? { onUncertain: randomPolicy(sim) } : {};
}

function randomPolicy(sim: Simulation): JsonValue {
  const ask = { timeout: `${sim.between(1_000, 9_000)}ms` };
  return sim.pick(["retryWithKey", "fail", { ask }, { ask }]);
}

function randomDoer(sim: Simulation, agents: readonly string[], hasPathAgent: boolean): JsonObject {
  const target = !hasPathAgent || sim.roll(0.7) ? randomTarget(sim, agents) : {};
  return sim.roll(0.25) ? { ...target, fallback: { agentCapability: sim.pick(CAPABILITIES) } } : target;
}

function randomTarget(sim: Simulation, agents: readonly string[]): JsonObject {
  return sim.roll(0.2) ? { agentName: sim.pick(agents) } : { agentCapability: sim.pick(CAPABILITIES) };
}

/** What the session says in the end; a first step that failed and was passed over has nothing to say, which does not fit. */
function randomOutput(sim: Simulation): JsonObject {
  if (sim.roll(0.75)) return {};
  return { output: { first: `\${{ steps.s0.result }}` }, outputSchema: { properties: { first: { type: "string" } } } };
}
