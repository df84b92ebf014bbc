import type { JsonObject } from "@opspawn/contract";
import { readDefinition } from "../../packages/ops-core/src/domain/workflows/definition.ts";
import { randomLimits } from "./limits.ts";
import type { Simulation } from "./simulation.ts";
import { randomTime } from "./times.ts";
import { randomTool } from "./toolbox.ts";
import { randomPayment } from "./workflows.ts";

/** What undoing wants; some agents have it. */
export const UNDO = "undo";
const CAPABILITIES = ["read", "write", "check"];
const SIGNALS = ["go", "stop"];

const RETRIES: readonly JsonObject[] = [
  { maxAttempts: 4, initialDelay: "100ms", maxDelay: "2s" },
  { maxAttempts: 1 },
  { maxAttempts: 2, initialDelay: "300ms", maxDelay: "1s", jitter: "none" },
];

/** A small workflow that is a step of others; it is saved at the beginning of the world. */
const CHILD: JsonObject = {
  id: "child",
  name: "A child",
  version: "1",
  onFailure: "fail",
  deadline: "40s",
  tasks: [
    {
      taskId: "inner",
      agentCapability: "read",
      parameters: { n: "${{ input.n }}" },
      retry: { maxAttempts: 3, initialDelay: "100ms", maxDelay: "1s" },
    },
    { taskId: "rest", dependsOn: ["inner"], wait: { for: "200ms" } },
  ],
  output: "${{ steps.inner.result }}",
};

export function saveChild(sim: Simulation): Promise<void> {
  return saveWorkflow(sim, CHILD);
}

export async function saveWorkflow(sim: Simulation, document: JsonObject): Promise<void> {
  const { text, hash, plan } = readDefinition(document, []);
  const { id, version, name, description, steps } = plan;
  const saved = { id, version, name, description, steps: steps.length, hash, document: text };
  await sim.call((store) => store.workflows.apply({ ...saved, appliedAt: sim.clock.now() }));
}

/** A workflow that uses the whole language: conditions, lists, loops, waits, decisions, children, stand-ins, undoing. */
export function randomProgram(sim: Simulation, hasPathAgent: boolean): JsonObject {
  const id = `program${sim.between(1, 1_000_000_000)}`;
  const onFailure = sim.pick(["fail", "continue", "compensate", "compensate"]);
  const writer = new Writer(sim);
  const size = sim.between(2, 4);
  for (let i = 0; i < size; i += 1) writer.write(i);
  const deadline = hasPathAgent || sim.roll(0.15) ? `${sim.between(3, 20)}s` : "2m";
  const limits = sim.roll(0.1) ? randomLimits(sim, ["k0", "k${{ input.n }}"]) : {};
  // With `input` its data is that of expressions, whatever steps it has.
  return { id, name: id, input: {}, tasks: writer.tasks, deadline, onFailure, ...limits };
}

/** What a program is started with. */
export function programInput(sim: Simulation): JsonObject {
  const input = { n: sim.between(1, 3), list: Array.from({ length: sim.between(0, 3) }, (_, i) => i * 10) };
  return sim.extras.times ? { ...input, at: randomTime(sim), wrong: sim.pick(["soon", 12]) } : input;
}

class Writer {
  readonly tasks: JsonObject[] = [];
  readonly #sim: Simulation;
  /** Steps that others may wait for, and those that always begin when what is before them has ended. */
  readonly #before: string[] = [];

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  write(index: number): void {
    const sim = this.#sim;
    const taskId = `s${index}`;
    const dependsOn = this.#before.filter(() => sim.roll(0.45));
    const step: JsonObject = { taskId, dependsOn };
    if (sim.roll(0.25)) step.when = this.#condition(dependsOn);
    if (sim.roll(0.5)) step.onFailure = sim.pick(["fail", "continue", "compensate"]);
    const kinds = [
      "list",
      "list",
      "loop",
      "timer",
      "signal",
      "approval",
      "approval",
      "spare",
      "child",
      "agent",
      ...(sim.extras.times ? (["time", "time", "time"] as const) : []),
    ] as const;
    const kind = sim.pick(kinds);
    const reserve = kind === "signal" || kind === "approval" ? `b${index}` : null;
    this.tasks.push(step);
    Object.assign(step, this.#body(kind, taskId, reserve));
    this.#before.push(taskId);
    const isTaken = this.tasks.some((each) => each.taskId === reserve);
    if (reserve !== null && isTaken && sim.roll(0.6)) this.#before.push(reserve);
  }

  #condition(dependsOn: readonly string[]): string {
    const sim = this.#sim;
    if (dependsOn.length > 0 && sim.roll(0.5)) return `steps.${sim.pick(dependsOn)}.status == "completed"`;
    return `input.n > ${sim.between(0, 2)}`;
  }

  #body(kind: string, taskId: string, reserve: string | null): JsonObject {
    const sim = this.#sim;
    switch (kind) {
      case "list":
        return this.#list(taskId);
      case "loop":
        return this.#loop(taskId);
      case "timer":
        return { wait: { for: `${sim.between(100, 5_000)}ms` } };
      case "time":
        return {
          wait: { until: sim.pick([randomTime(sim), randomTime(sim), "${{ input.at }}", "${{ input.wrong }}"]) },
        };
      case "signal":
        return {
          wait: { signal: sim.pick(SIGNALS), timeout: this.#patience(), ...this.#branch("onTimeout", reserve) },
        };
      case "approval":
        return { approval: this.#approval(reserve) };
      case "spare":
        return this.#spared(taskId);
      case "child":
        return this.#child("${{ input.n }}");
      default:
        return this.#work(taskId, {});
    }
  }

  #patience(): string {
    return `${this.#sim.between(1_000, 12_000)}ms`;
  }

  /** A step in reserve that is taken in a case, in half of all. */
  #branch(role: string, reserve: string | null): JsonObject {
    if (reserve === null || this.#sim.roll(0.4)) return {};
    this.tasks.push({ taskId: reserve, ...this.#work(reserve, {}) });
    return { [role]: { taskId: reserve } };
  }

  #approval(reserve: string | null): JsonObject {
    const sim = this.#sim;
    const asked = { message: "May ${{ input.n }}?", details: { n: "${{ input.n }}" }, timeout: this.#patience() };
    const role = sim.pick(["onTimeout", "onReject", "onReject"]);
    const rest = this.#branch(role, reserve);
    return { ...asked, ...(role === "onReject" && sim.roll(0.5) ? { onTimeout: "reject" } : {}), ...rest };
  }

  #list(taskId: string): JsonObject {
    const sim = this.#sim;
    const literal = Array.from({ length: sim.between(0, 4) }, (_, i) => (i === 2 ? "${{ input.n }}" : `item ${i}`));
    const forEach = sim.roll(0.3) ? "${{ input.list }}" : literal;
    const items = sim.between(1, 3);
    const modifiers = { forEach, concurrency: items, onItemError: sim.pick(["fail", "collect"]) };
    if (sim.roll(0.25)) return { ...modifiers, ...this.#child("${{ item }}") };
    const work = this.#work(taskId, { item: "${{ item }}", index: "${{ index }}" });
    const limit = sim.roll(0.3) ? { key: "k${{ index }}", limit: sim.between(1, 2), items } : work.concurrency;
    return { ...modifiers, ...work, ...(limit === undefined ? {} : { concurrency: limit as JsonObject }) };
  }

  #loop(taskId: string): JsonObject {
    const sim = this.#sim;
    const until = `iteration >= ${sim.between(0, 3)}`;
    const repeat: JsonObject = { until, maxIterations: sim.between(2, 3), onExhausted: sim.pick(["fail", "complete"]) };
    if (sim.roll(0.5)) repeat.delay = `${sim.between(50, 1_500)}ms`;
    const parameters = { iteration: "${{ iteration }}", last: `\${{ steps.${taskId}.result }}` };
    return { repeat, ...this.#work(taskId, parameters) };
  }

  #spared(taskId: string): JsonObject {
    const spare = taskId.replace("s", "f");
    this.tasks.push({ taskId: spare, ...this.#work(spare, {}) });
    return { ...this.#work(taskId, {}), fallback: { taskId: spare }, retry: { maxAttempts: 1 } };
  }

  #child(n: string): JsonObject {
    const sim = this.#sim;
    const bound = sim.roll(0.3) ? { deadline: `${sim.between(2, 10)}s` } : {};
    return { workflow: { id: "child", input: { n } }, ...bound, ...this.#undoing(null) };
  }

  #work(taskId: string, more: JsonObject): JsonObject {
    const sim = this.#sim;
    const parameters: JsonObject = { step: taskId, ...more };
    const tool = randomTool(sim);
    const target = tool === null ? { agentCapability: sim.pick(CAPABILITIES) } : { tool };
    const step: JsonObject = { ...target, retry: sim.pick(RETRIES), parameters };
    if (sim.roll(0.25)) {
      parameters.wants = "text";
      step.output = { schema: { type: "string" } };
    }
    if (sim.roll(0.15)) step.deadline = `${sim.between(2, 10)}s`;
    if (tool === null && sim.roll(0.25)) Object.assign(step, randomPayment(sim, parameters));
    if (sim.roll(0.2)) Object.assign(step, randomLimits(sim, ["k0", "k1", "k${{ input.n }}"]));
    return { ...step, ...this.#undoing(taskId) };
  }

  #undoing(taskId: string | null): JsonObject {
    const sim = this.#sim;
    if (!sim.roll(0.6)) return {};
    const parameters = taskId === null ? {} : { undo: taskId, was: `\${{ steps.${taskId}.result }}` };
    const retry = { maxAttempts: sim.between(1, 4), initialDelay: "100ms", maxDelay: "1s" };
    const whenUnknown = sim.pick(["run", "report"]);
    const tool = randomTool(sim);
    const target = tool === null ? { agentCapability: UNDO } : { tool };
    return { compensate: { ...target, parameters, retry, deadline: "30s", whenUnknown } };
  }
}
