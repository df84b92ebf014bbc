import { OpspawnApiError } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { plain, wrap } from "../output/text.ts";

export interface Why {
  readonly status: string;
  readonly blocked: { readonly reason: string } | null;
  readonly explanation: readonly string[];
}

/** What one can do about a reason, as far as there is something. */
const REMEDIES: Readonly<Record<string, string>> = {
  no_capable_agent: "Register an agent that has it (`agents register`), or correct the workflow.",
  no_such_agent: "Register one under that name (`agents register`), or correct the workflow.",
  agent_gone: "Register one (`agents register`), or cancel.",
  agent_busy: "More agents, or more slots (maxConcurrency), would shorten the wait: `agents list`.",
  agents_busy: "More agents, or more slots (maxConcurrency), would shorten the wait: `agents list`.",
  agent_offline: "Start the agent again; `agents list` shows the others.",
  no_such_tool: "Register one under that name (`tools register`), or correct the workflow.",
  tool_busy: "More calls at once (maxConcurrency), if it can take them, would shorten the wait: `tools list`.",
  circuit_open: "The endpoint fails again and again: look at its own log, and at `agents list` or `tools list`.",
  session_paused: "Let it go on: `sessions resume SESSION`.",
  agent_error: "The agent says that it has a problem: look at its own log.",
};

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
  call.output.lines(sentences.flatMap((sentence) => item(sentence, call.output.columns, sentences.length > 1)));
  const { program } = call.io.settings;
  const remedy = why.status === "failed" ? "`tasks get TASK` shows each attempt." : REMEDIES[why.blocked?.reason ?? ""];
  const next = remedy?.replaceAll(/`([^`]+)`/g, (_, command: string) => `${program} ${command}`);
  if (next !== undefined) call.say(wrap(next, call.output.columns).join("\n"));
}

/** One of several hangs on a dash, so that each is seen to be one. */
function item(sentence: string, columns: number, isOneOfSeveral: boolean): string[] {
  if (!isOneOfSeveral) return wrap(plain(sentence), columns);
  return wrap(plain(sentence), columns - 2).map((line, n) => (n === 0 ? `- ${line}` : `  ${line}`));
}
