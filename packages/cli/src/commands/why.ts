import { OpspawnApiError } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { plain, wrap } from "../output/text.ts";

export interface Why {
  readonly status: string;
  readonly blocked: {
    readonly reason: string;
    readonly details?: Readonly<Record<string, unknown>> | undefined;
  } | null;
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
  concurrency_limit: "It is next when one of these has ended; `limits` shows the others. The limit is the workflow's.",
  rate_limit: "It begins by itself; `limits` shows how many wait. The limit is the workflow's.",
  circuit_open: "The endpoint fails again and again: look at its own log, and at `agents list` or `tools list`.",
  session_paused: "Let it go on: `sessions resume SESSION`.",
  waiting_for_approval: "Look at it, then approve or reject it: `approvals get APPROVAL`.",
  waiting_for_decision: "Look at it, then approve or reject it: `approvals get APPROVAL`.",
  delivery_backoff: "See what the receiver says to it: `deliveries get DELIVERY`.",
  paused: "Let it go on: `schedules resume SCHEDULE`.",
  agent_error: "The agent says that it has a problem: look at its own log.",
};

/** Which noun an id belongs to; sessions have none, and stand-alone tasks may have any. */
const PREFIXES: readonly (readonly [string, (call: Call, id: string) => Promise<Why>])[] = [
  ["task_", (call, id) => call.client.tasks.why(id)],
  ["apr_", (call, id) => call.client.approvals.why(id)],
  ["sch_", (call, id) => call.client.schedules.why(id)],
  ["dlv_", (call, id) => call.client.deliveries.why(id)],
];

/** `opspawn why`: what a session, task, approval, schedule or delivery waits for, whichever the id names. */
export function addWhy(program: Command, context: Context): void {
  const command = program
    .command("why <id>")
    .description("Say what a session, task, approval, schedule or delivery waits for.")
    .action(context.action(async (call, id: string) => showWhy(call, await find(call, id))));
  withExamples(command, ["why SESSION", "why TASK -o json", "why APPROVAL", "why SCHEDULE"]);
}

async function find(call: Call, id: string): Promise<Why> {
  const { sessions, tasks } = call.client;
  const known = PREFIXES.find(([prefix]) => id.startsWith(prefix));
  if (known !== undefined) return known[1](call, id);
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
  const next = remedyOf(why)?.replaceAll(/`([^`]+)`/g, (_, command: string) => `${program} ${command}`);
  if (next !== undefined) call.say(wrap(next, call.output.columns).join("\n"));
}

function remedyOf({ status, blocked }: Why): string | undefined {
  if (status === "failed") return "`tasks get TASK` shows each attempt.";
  const id = blocked?.details?.approvalId;
  const remedy = REMEDIES[blocked?.reason ?? ""];
  return typeof id === "string" ? remedy?.replace("APPROVAL", () => plain(id)) : remedy;
}

/** One of several hangs on a dash, so that each is seen to be one. */
function item(sentence: string, columns: number, isOneOfSeveral: boolean): string[] {
  if (!isOneOfSeveral) return wrap(plain(sentence), columns);
  return wrap(plain(sentence), columns - 2).map((line, n) => (n === 0 ? `- ${line}` : `  ${line}`));
}
