import { OpspawnApiError } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { plain, wrap } from "../output/text.ts";

export interface Why {
  readonly status: string;
  readonly explanation: readonly string[];
}

const TASK_PREFIX = "task_";

/** `opspawn why`: what a session or task waits for, whichever the id names. */
export function addWhy(program: Command, context: Context): void {
  const command = program
    .command("why <id>")
    .description("Say what a session or task waits for, and since when.")
    .action(context.action(async (call, id: string) => showWhy(call, await find(call, id))));
  withExamples(command, ["why SESSION", "why TASK -o json"]);
}

async function find(call: Call, id: string): Promise<Why> {
  const { sessions, tasks } = call.client;
  if (id.startsWith(TASK_PREFIX)) return tasks.why(id);
  try {
    return await sessions.why(id);
  } catch (error) {
    if (!(error instanceof OpspawnApiError && error.code === "session_not_found")) throw error;
    // A stand-alone task may have any id. When there is none either, the first answer is the better one.
    return tasks.why(id).catch(() => Promise.reject(error));
  }
}

export function showWhy(call: Call, why: Why): void {
  if (call.output.data(why)) return;
  const sentences = why.explanation.length > 0 ? why.explanation : [`Nothing is waited for; it is ${why.status}.`];
  call.output.lines(sentences.flatMap((sentence) => wrap(plain(sentence), call.output.columns)));
}
