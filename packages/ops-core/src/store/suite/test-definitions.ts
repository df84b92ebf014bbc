import type { JsonObject } from "@opspawn/contract";

/** Steps in list order, each for capability `work`. */
export function listOf(...ids: string[]): JsonObject {
  return workflow(ids.map((id) => step(id)));
}

/** A graph: step id -> what it waits for. */
export function graphOf(dependencies: Readonly<Record<string, readonly string[]>>, rest: JsonObject = {}): JsonObject {
  const steps = Object.entries(dependencies).map(([id, dependsOn]) => step(id, { dependsOn: [...dependsOn] }));
  return workflow(steps, rest);
}

export function step(taskId: string, rest: JsonObject = {}): JsonObject {
  const target = "agentId" in rest || "agentName" in rest ? {} : { agentCapability: "work" };
  return { taskId, ...target, ...rest };
}

export function workflow(tasks: JsonObject[], rest: JsonObject = {}): JsonObject {
  return { id: "flow", name: "A flow", version: "1", tasks, ...rest };
}
