import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { jsonLineLogger, type ServedAgent, serveAgent, TaskFailure, type TaskHandler } from "@opspawn/agentkit";
import { type AgentArguments, readAgentArguments } from "./agent-arguments.ts";

export interface ExampleAgent {
  readonly name: string;
  readonly description: string;
  /** Tasks at once. */
  readonly maxConcurrency: number;
  /** By capability. */
  readonly handlers: Record<string, TaskHandler>;
}

/** Serves an agent until the process is told to stop; ends it when the agent cannot be served. */
export async function runExampleAgent(agent: ExampleAgent): Promise<void> {
  try {
    const served = await serve(agent, readAgentArguments());
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void served.stop());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function serve({ handlers, name, ...agent }: ExampleAgent, args: AgentArguments): Promise<ServedAgent> {
  const { platform, port, data, pace } = args;
  return serveAgent({
    ...agent,
    name,
    version: "1.0",
    handlers: Object.fromEntries(
      Object.entries(handlers).map(([capability, handle]) => [capability, paced(handle, pace)]),
    ),
    platform: { url: platform },
    port,
    // Without it, a restarted agent would find its own name taken.
    identityFile: path.join(data, `${name}.json`),
    logger: jsonLineLogger((line) => process.stdout.write(line)),
  });
}

function paced(handle: TaskHandler, seconds: number): TaskHandler {
  if (seconds === 0) return handle;
  return async (task) => {
    await wait(seconds * 1_000, undefined, { signal: task.signal });
    return handle(task);
  };
}

/** A list from the parameters of a task. What is in it was checked against the workflow's schema, or made by a step. */
export function listIn<T>(parameters: Readonly<Record<string, unknown>>, name: string): readonly T[] {
  const list = parameters[name];
  if (Array.isArray(list)) return list as T[];
  const message = `The parameter "${name}" must be a list, not ${list === undefined ? "left out" : typeof list}.`;
  throw new TaskFailure(message, { code: "parameters_invalid", retryable: false });
}
