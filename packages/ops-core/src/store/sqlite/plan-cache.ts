import { OpspawnError } from "@opspawn/contract";
import type { Requirement } from "../../domain/tasks/task.ts";
import type { OnUncertain, PlanStep, RetryPolicy, StepTarget, WorkflowPlan } from "../../domain/workflows/plan.ts";
import type { StoredWorkflow } from "../../domain/workflows/stored.ts";
import type { Tx } from "./tx.ts";

const MAX_PLANS = 500;

/** What a task needs to know when an attempt ends; stored with it, so that it does not depend on its session. */
export interface TaskPolicy {
  readonly retry: RetryPolicy;
  readonly fallback: Requirement | null;
  readonly timeout: number | null;
  /** Bounds the silence of an attempt from its dispatch on; absent = as the agent says, from its first word on. */
  readonly silenceTimeout?: number;
  /** It is no work: it shows whether its agent works. */
  readonly probe?: true;
  /** What decides when an attempt died with open effects. Absent: the next attempt does them under the same keys. */
  readonly onUncertain?: Exclude<OnUncertain["kind"], "retryWithKey">;
}

/** Compiled definitions by hash, least recently used dropped first, and the current versions of workflows by id. */
export class PlanCache {
  readonly #plans = new Map<string, WorkflowPlan>();
  readonly #current = new Map<string, StoredWorkflow>();
  readonly #compile: (document: string) => WorkflowPlan;

  constructor(compile: (document: string) => WorkflowPlan) {
    this.#compile = compile;
  }

  get(tx: Pick<Tx, "get">, hash: string): WorkflowPlan {
    const cached = this.#plans.get(hash);
    if (cached !== undefined) {
      this.#plans.delete(hash);
      this.#plans.set(hash, cached);
      return cached;
    }
    const row = tx.get<{ document: string }>("select document from definitions where hash = ?", hash);
    if (row === undefined) throw new OpspawnError("internal", `Definition ${hash} is missing from the store.`);
    return this.#put(hash, this.#compile(row.document));
  }

  clear(): void {
    this.#plans.clear();
    this.#current.clear();
  }

  /** The current version of a workflow, as it was read since the last one was applied. */
  current(id: string): StoredWorkflow | undefined {
    return this.#current.get(id);
  }

  setCurrent(workflow: StoredWorkflow): void {
    if (this.#current.size >= MAX_PLANS) this.#current.clear();
    this.#current.set(workflow.id, workflow);
  }

  /** Some workflow has another current version now. */
  forgetCurrent(): void {
    this.#current.clear();
  }

  /** True only for definitions known to be stored. */
  has(hash: string): boolean {
    return this.#plans.has(hash);
  }

  #put(hash: string, plan: WorkflowPlan): WorkflowPlan {
    this.#plans.set(hash, plan);
    const oldest = this.#plans.keys().next();
    if (this.#plans.size > MAX_PLANS && oldest.done !== true) this.#plans.delete(oldest.value);
    return plan;
  }
}

/** Who does, or undoes, a step of a session whose trigger named `pathAgent`. */
export function requirementOf(doer: Doer, pathAgent: string | null, stepId: string): Requirement {
  if (doer.tool !== null) return { kind: "tool", tool: doer.tool };
  const { target } = doer;
  switch (target?.kind) {
    case "agent":
      return { kind: "agent", agentId: target.agentId };
    case "agentName":
      return { kind: "agentName", agentName: target.agentName };
    case "capability":
      return { kind: "capability", capability: target.capability, preferred: pathAgent };
    default:
      if (pathAgent === null) throw new OpspawnError("no_target", `Step \`${stepId}\` names no agent or capability.`);
      return { kind: "agent", agentId: pathAgent };
  }
}

interface Doer {
  readonly target: StepTarget | null;
  readonly tool: string | null;
}

export function policyOf(step: PlanStep, pathAgent: string | null): TaskPolicy {
  const { retry, timeout, silenceTimeout, fallback, onUncertain } = step;
  const instead = fallback === null ? null : requirementOf({ target: fallback, tool: null }, pathAgent, step.id);
  return {
    retry,
    fallback: instead,
    timeout,
    ...(silenceTimeout === null ? {} : { silenceTimeout }),
    ...(onUncertain === null || onUncertain.kind === "retryWithKey" ? {} : { onUncertain: onUncertain.kind }),
  };
}
