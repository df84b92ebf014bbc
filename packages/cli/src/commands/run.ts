import { isTerminal, type SessionDetail, type SessionStart } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { readDefinition, readInput } from "../document.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { collectPairs, duration, whole } from "../options.ts";
import { TO_THE_END, waitTime } from "../wait-option.ts";
import { exitCodeOf, showSession } from "./sessions.ts";

interface RunOptions {
  readonly input?: string;
  readonly agent?: string;
  readonly label?: Record<string, string>;
  readonly wait?: string;
  readonly idempotencyKey?: string;
  readonly definitionVersion?: string;
  readonly delay?: string;
  readonly priority?: number;
  readonly callbackUrl?: string;
}

const DESCRIPTION = `Start a workflow.

WORKFLOW is the id of an applied workflow, or a definition: a path with a slash
or one ending in .json, .yaml or .yml, or - for stdin. A definition is run as
it stands and is not saved; "workflows apply" saves one.`;

/** `opspawn run`: starts a session and may wait for its end. */
export function addRun(program: Command, context: Context): void {
  const command = program
    .command("run <workflow>")
    .summary("Start a workflow, by id or from a file.")
    .description(DESCRIPTION)
    .option("--input <json>", "the input: JSON, @file, or - for stdin")
    .option("--agent <id>", "the agent for steps that name none")
    .option("--label <key=value>", "label the session (repeatable)", collectPairs)
    .option("--wait [time]", "wait for its end, or so long (--wait=30s)", waitTime)
    .option("--idempotency-key <key>", "the same key starts it only once in 24 h")
    .option("--definition-version <version>", "of an applied workflow (default: the latest)")
    .option("--delay <time>", "start later, such as 10m", duration)
    .option("--priority <n>", "added to its steps'; higher is sooner", whole(-1_000, 1_000))
    .option("--callback-url <url>", "receives one signed POST at the end")
    .action(context.action(runWorkflow));
  withExamples(command, [
    'run flow.yaml --input \'{"url": "https://example.org"}\' --wait',
    "run review-article --input @article.json --label team=docs",
    "run review-article --wait=5m -o json",
  ]);
}

async function runWorkflow(call: Call, workflow: string, options: RunOptions): Promise<ExitCode> {
  const body: SessionStart = {
    ...(isPath(workflow) ? { workflow: await readDefinition(call.io, workflow) } : { workflowId: workflow }),
    ...(options.input === undefined ? {} : { input: await readInput(call.io, options.input) }),
    version: options.definitionVersion,
    agentId: options.agent,
    labels: options.label,
    delay: options.delay,
    priority: options.priority,
    callbackUrl: options.callbackUrl,
  };
  const started = await call.client.sessions.start(body, { idempotencyKey: options.idempotencyKey });
  if (options.wait !== undefined) return awaitEnd(call, started.sessionId, options.wait);
  const { sessionId, workflowId, workflowVersion, status } = started;
  call.output.record(started, [
    ["Session", sessionId],
    ["Workflow", `${workflowId} ${workflowVersion}`],
    ["Status", status],
  ]);
  const { program } = call.io.settings;
  if (status === "started" && options.delay === undefined)
    call.say(`Nothing has taken it yet. See why: ${program} why ${sessionId}`);
  call.say(`Watch it: ${program} sessions watch ${sessionId}`);
  return EXIT.ok;
}

/** What is told from the id of an applied workflow by its looks alone, so that a new file never changes a meaning. */
function isPath(workflow: string): boolean {
  return workflow === "-" || /[/\\]/.test(workflow) || /\.(json|ya?ml)$/i.test(workflow);
}

async function awaitEnd(call: Call, sessionId: string, wait: string): Promise<ExitCode> {
  call.say(`Session ${sessionId} has started. Waiting for its end (Ctrl-C ends the waiting, not the session).`);
  const signal = call.io.interrupt();
  const onRetry = call.sayingOfOutage();
  const timeout = wait === TO_THE_END ? undefined : wait;
  const session = await call.client.sessions
    .waitFor(sessionId, { timeout, signal, onRetry })
    .catch((error: unknown): SessionDetail | undefined => {
      if (signal.aborted) return undefined;
      throw error;
    });
  if (session === undefined) {
    call.say(`It goes on. Watch it: ${call.io.settings.program} sessions watch ${sessionId}`);
    return EXIT.interrupted;
  }
  showSession(call, session);
  return isTerminal(session) ? exitCodeOf(session) : EXIT.ok;
}
