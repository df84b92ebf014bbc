import { isJsonObject, type JsonObject, OpspawnError } from "@opspawn/contract";
import type { Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import { compileWorkflow } from "./compile.ts";
import type { WorkflowPlan } from "./plan.ts";
import type { Mode } from "./step-definition.ts";

const PLANS_MAX = 500;

/**
 * Compiles a definition that was accepted before. It may have come in by the originals' routes, whose rules are wider,
 * and before steps had schemas, when the originals' rules ignored what stood in their place.
 * @param document its JSON text
 */
export function compileStored(document: string): WorkflowPlan {
  const definition = readStored(document) as JsonObject;
  return (
    compiled(definition, "strict") ??
    compiled(definition, "original") ??
    compileWorkflow(withoutSchemas(definition), { mode: "original" }).plan
  );
}

function compiled(definition: JsonObject, mode: Mode): WorkflowPlan | undefined {
  try {
    return compileWorkflow(definition, { mode }).plan;
  } catch (error) {
    if (!(error instanceof OpspawnError) || error.code !== "workflow_invalid") throw error;
    return undefined;
  }
}

function withoutSchemas({ outputSchema: _schema, ...definition }: JsonObject): JsonObject {
  const tasks = Array.isArray(definition.tasks) ? definition.tasks : [];
  return { ...definition, tasks: tasks.map((task) => (isJsonObject(task) ? withoutOwn(task) : task)) };
}

function withoutOwn({ input: _input, output: _output, ...task }: JsonObject): JsonObject {
  return task;
}

/** Compiled definitions by hash, the least recently used dropped first. */
export class Plans {
  readonly #workflows: Pick<Store["workflows"], "definition">;
  readonly #plans = new Map<string, WorkflowPlan>();

  constructor(workflows: Pick<Store["workflows"], "definition">) {
    this.#workflows = workflows;
  }

  /** The plan of a definition whose text is at hand. */
  of(hash: string, document: string): WorkflowPlan {
    return this.#touch(hash) ?? this.#put(hash, compileStored(document));
  }

  /** The plan of a definition that the store keeps. */
  async stored(hash: string): Promise<WorkflowPlan> {
    const known = this.#touch(hash);
    if (known !== undefined) return known;
    const document = await this.#workflows.definition(hash);
    if (document === null) throw new OpspawnError("internal", `Definition ${hash} is missing from the store.`);
    return this.#put(hash, compileStored(document));
  }

  #touch(hash: string): WorkflowPlan | undefined {
    const plan = this.#plans.get(hash);
    if (plan === undefined) return undefined;
    this.#plans.delete(hash);
    this.#plans.set(hash, plan);
    return plan;
  }

  #put(hash: string, plan: WorkflowPlan): WorkflowPlan {
    this.#plans.set(hash, plan);
    const oldest = this.#plans.keys().next();
    if (this.#plans.size > PLANS_MAX && oldest.done !== true) this.#plans.delete(oldest.value);
    return plan;
  }
}
