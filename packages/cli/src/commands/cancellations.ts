import type { CancellationView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Section } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import type { Column } from "../output/table.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";
import { TO_THE_END, waitTime } from "../wait-option.ts";

/** `sessions cancel` and `sessions cancellations`: who was told to stop, and what they said. */
export function addCancelling(sessions: Command, context: Context): void {
  const cancel = sessions
    .command("cancel <session>")
    .description("Cancel a session, and say which agents were at work for it.")
    .option("--reason <text>", "kept with the session, and told to the agents")
    .option("--wait [time]", "until each agent has answered or was given up", waitTime)
    .action(context.action(cancelSession));
  withExamples(cancel, ["sessions cancel SESSION --reason 'wrong input'", "sessions cancel SESSION --wait"]);

  const list = withPaging(
    sessions.command("cancellations <session>").description("List who was told to stop, and what they said."),
  ).action(context.action(listCancellations));
  withExamples(list, ["sessions cancellations SESSION"]);
}

interface CancelOptions {
  readonly reason?: string;
  readonly wait?: string;
}

async function cancelSession(call: Call, id: string, { reason, wait }: CancelOptions): Promise<ExitCode> {
  const session = await call.client.sessions.cancel(id, { reason });
  if (wait === undefined) {
    show(call, session, session.cancellations);
    return EXIT.ok;
  }
  const open = session.cancellations.filter(isOpen).length;
  if (open > 0) call.say(`Waiting for ${agents(open)} (Ctrl-C ends the waiting; the session is cancelled).`);
  const signal = call.io.interrupt();
  const timeout = wait === TO_THE_END ? undefined : wait;
  const options = { timeout, signal, onRetry: call.sayingOfOutage() };
  const all = await call.client.sessions.waitForStops(session.sessionId, options).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (all === null) return EXIT.interrupted;
  show(call, session, all);
  return EXIT.ok;
}

interface CancelledSession {
  readonly sessionId: string;
  readonly status: string;
}

function show(call: Call, session: CancelledSession, all: readonly CancellationView[]): void {
  const sentence = `Session ${session.sessionId} is ${session.status}.`;
  call.output.done({ ...session, cancellations: all }, all.length === 0 ? sentence : `${sentence} ${summary(all)}`);
  if (all.length === 0 || call.output.format !== "table") return;
  call.output.lines(["", ...call.output.table(all, columns)]);
  if (!all.some(isOpen)) return;
  call.say(`See what they say: ${call.io.settings.program} sessions cancellations ${session.sessionId}`);
}

/** How many of those who were at it have stopped, as far as is known. */
export function summary(all: readonly CancellationView[]): string {
  const confirmed = all.filter(({ isConfirmed }) => isConfirmed).length;
  const open = all.filter(isOpen).length;
  const silent = all.length - confirmed - open;
  const parts = [
    ...(confirmed > 0 ? [`${confirmed} confirmed`] : []),
    ...(silent > 0 ? [`${silent} did not`] : []),
    ...(open > 0 ? [`${open} may still answer`] : []),
  ];
  return `${agents(all.length)} had work of it: ${parts.join(", ")}.`;
}

function agents(count: number): string {
  return count === 1 ? "1 agent" : `${count} agents`;
}

function isOpen({ endedAt }: CancellationView): boolean {
  return endedAt === null;
}

const columns: readonly Column<CancellationView>[] = [
  { title: "AGENT", value: ({ agentName, agentId, tool }) => agentName ?? agentId ?? `tool ${tool}`, least: 8 },
  { title: "STEP", value: ({ stepId }) => stepId, least: 6 },
  { title: "TRY", value: ({ attempt }) => attempt },
  { title: "STAGE", value: ({ stage }) => stage, tone: ({ stage }) => toneOf(stage) },
  { title: "HOW WE KNOW", value: whatIsKnown, least: 20 },
];

function whatIsKnown({ note, evidence, stageDeadline, channel }: CancellationView): string | null {
  if (stageDeadline !== null) return `${channel === "none" ? "not told; " : ""}until ${stageDeadline}`;
  if (evidence === null || note === null) return note ?? evidence;
  return `${evidence}: ${note}`;
}

/** What became of those who were to stop, as a part of a record; nothing where nobody was. */
export function cancellationFields(call: Call, all: readonly CancellationView[]): Section[] {
  return all.length === 0 ? [] : [{ title: "Told to stop", lines: call.output.table(all, columns) }];
}

function listCancellations(call: Call, id: string, options: PageOptions): Promise<void> {
  const page = (query: { limit?: number | undefined; cursor?: string | undefined }) =>
    call.client.sessions.cancellations(id, query);
  return showList(call, options, { page, columns, empty: "Nobody was told to stop for this session." });
}
