import type { SessionView } from "@opspawn/contract";
import type { SessionDetail, SessionQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { collectPairs, duration } from "../options.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age, elapsed } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";
import { drawSpans, Timeline } from "../timeline.ts";
import { addCancelling, cancellationFields } from "./cancellations.ts";
import { addControl } from "./session-control.ts";
import { showWhy } from "./why.ts";

/** `opspawn sessions`: executions of workflows. */
export function addSessions(program: Command, context: Context): void {
  const sessions = noun(program, "sessions", "List, show, watch and control executions.", [
    "sessions list --status failed",
    "sessions watch SESSION",
  ]);
  addReading(sessions, context);
  addControl(sessions, context);
  addCancelling(sessions, context);
  addChanging(sessions, context);
}

function addReading(sessions: Command, context: Context): void {
  const list = withPaging(sessions.command("list").description("List sessions, newest first."))
    .option("--status <status>", "started, running, waiting, paused, completed, failed or cancelled")
    .option("--workflow <id>", "of this workflow")
    .option("--agent <id>", "started with this agent")
    .option("--label <key=value>", "with this label")
    .option("--since <time>", "created at or after, such as 2026-05-01T12:00:00Z")
    .option("--until <time>", "created before")
    .option("--blocked <reason>", "waiting for this reason")
    .action(context.action(listSessions));
  withExamples(list, ["sessions list --status failed --workflow review-article", "sessions list --all -o jsonl"]);

  const get = sessions
    .command("get <session>")
    .description("Show a session with its steps and result.")
    .option("--wait <time>", "answer when it ends, or after this time (at most 1m)", duration)
    .action(
      context.action(async (call, id: string, options: { wait?: string }) => {
        showSession(call, await call.client.sessions.get(id, { wait: options.wait }));
      }),
    );
  withExamples(get, ["sessions get SESSION", "sessions get SESSION -o json"]);

  const watch = sessions
    .command("watch <session>")
    .description("Print each event of a session, past and live, until it ends.")
    .action(context.action(watchSession));
  withExamples(watch, ["sessions watch SESSION"]);

  const why = sessions
    .command("why <session>")
    .description("Say what a session waits for, step by step.")
    .action(context.action(async (call, id: string) => showWhy(call, await call.client.sessions.why(id))));
  withExamples(why, ["sessions why SESSION"]);
}

function addChanging(sessions: Command, context: Context): void {
  const label = sessions
    .command("label <session>")
    .description("Replace the labels of a session; none given takes them all away.")
    .option("--label <key=value>", "a label (repeatable)", collectPairs)
    .action(
      context.action(async (call, id: string, options: { label?: Record<string, string> }) => {
        const session = await call.client.sessions.label(id, options.label ?? {});
        call.output.done(session, `Labels of ${session.sessionId}: ${labelText(session) || "none"}`);
      }),
    );
  withExamples(label, ["sessions label SESSION --label team=docs --label stage=test"]);
}

type ListOptions = PageOptions & Omit<SessionQuery, "limit" | "cursor" | "blockedReason"> & { blocked?: string };

function listSessions(call: Call, options: ListOptions): Promise<void> {
  const { status, workflow, agent, label, since, until, blocked } = options;
  const filters = { status, workflow, agent, label, since, until, blockedReason: blocked };
  const now = call.io.clock.now();
  const columns: Column<SessionView>[] = [
    { title: "SESSION", value: (session) => session.sessionId, least: ID_WIDTH },
    { title: "STATUS", value: (session) => session.status, tone: (session) => toneOf(session.status) },
    { title: "WORKFLOW", value: (session) => `${session.workflowId} ${session.workflowVersion}`, least: 8 },
    { title: "AGE", value: (session) => age(session.createdAt, now) },
    { title: "WAITS FOR", value: (session) => session.blocked?.reason, least: 9 },
  ];
  const page = (query: SessionQuery) => call.client.sessions.list({ ...filters, ...query });
  return showList(call, options, {
    page,
    columns,
    empty: "There are no such sessions.",
    remedy: "run flow.yaml",
  });
}

/** What a session ended with, for scripts. */
export function exitCodeOf(session: { readonly status: string }): ExitCode {
  return session.status === "completed" ? EXIT.ok : EXIT.sessionFailed;
}

export function showSession(call: Call, session: SessionDetail): void {
  const now = call.io.clock.now();
  const took = session.endedAt === null ? "" : ` after ${elapsed(session.createdAt, session.endedAt)}`;
  const fields: Field[] = [
    ["Session", session.sessionId],
    ["Status", session.status + took, toneOf(session.status)],
    ["Workflow", `${session.workflowId} ${session.workflowVersion}`],
    ["Created", `${session.createdAt} (${age(session.createdAt, now)} ago)`],
  ];
  if (session.agentId !== null) fields.push(["Agent", session.agentId]);
  if (Object.keys(session.labels).length > 0) fields.push(["Labels", labelText(session)]);
  if (session.priority !== 0) fields.push(["Priority", String(session.priority)]);
  if (session.forkedFrom !== null) fields.push(["Goes on from", session.forkedFrom]);
  if (session.parentSessionId !== null) fields.push(["Step of", session.parentSessionId]);
  if (session.compensation !== null) fields.push(["Undoing", session.compensation]);
  if (session.failedSteps.length > 0) fields.push(["Failed steps", session.failedSteps.join(", ")]);
  if (session.uncertainSteps.length > 0) fields.push(["Uncertain", session.uncertainSteps.join(", ")]);
  if (session.error !== null) fields.push(["Error", `${session.error.code}: ${session.error.message}`]);
  if (session.blocked !== null) fields.push(["Waits for", session.blocked.message]);
  if (session.steps.length > 0) fields.push({ title: "Steps", lines: call.output.table(session.steps, stepColumns) });
  fields.push(...cancellationFields(call, session.cancellations));
  if (session.result !== null) fields.push({ title: "Result", lines: jsonLines(session.result) });
  call.output.record(session, fields);
}

const stepColumns: readonly Column<SessionDetail["steps"][number]>[] = [
  { title: "STEP", value: (step) => step.stepId, least: 8 },
  { title: "STATUS", value: (step) => step.status, tone: (step) => toneOf(step.status) },
  { title: "TRIES", value: (step) => step.attempts },
  { title: "TOOK", value: (step) => elapsed(step.startedAt, step.endedAt) },
  { title: "WHAT", value: whatOf, least: 13 },
];

/** What a step is, or what it fell over. */
function whatOf(step: SessionDetail["steps"][number]): string | null {
  if (step.error !== null) return step.error.message;
  if (step.items !== null) {
    const { total, begun, open, failed } = step.items;
    return `${begun - open} of ${total} items${failed > 0 ? `, ${failed} failed` : ""}`;
  }
  if (step.signal !== null) return `signal ${step.signal}`;
  if (step.approvalId !== null) return step.approvalId;
  if (step.childSessionId !== null) return `session ${step.childSessionId}`;
  if (step.waitsUntil !== null) return `until ${step.waitsUntil}`;
  return step.iteration > 0 ? `run ${step.iteration + 1}, ${step.taskId}` : step.taskId;
}

function labelText(session: SessionView): string {
  return Object.entries(session.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

async function watchSession(call: Call, sessionId: string): Promise<ExitCode> {
  const columns = call.io.stdout.isTerminal ? call.io.columns : Infinity;
  const timeline = new Timeline(columns);
  const signal = call.io.interrupt();
  const [onRetry, onReset] = [call.sayingOfOutage(), call.sayingOfReset()];
  const events = call.client.events.follow({ session: sessionId, signal, onRetry, onReset });
  for await (const { cursor: _, ...event } of events) {
    if (call.output.eachData(event)) continue;
    const line = timeline.tell(event);
    if (line !== null) call.output.lines([call.output.style(line.tone, line.text)]);
  }
  if (signal.aborted) {
    call.say("Stopped watching; the session goes on.");
    return EXIT.interrupted;
  }
  const bars = call.output.format === "table" ? drawSpans(timeline.spans, timeline.elapsed, call.output.columns) : [];
  if (bars.length > 0) call.output.lines(["", ...bars.map((bar) => call.output.style("dim", bar))]);
  return exitCodeOf(await call.client.sessions.get(sessionId));
}
