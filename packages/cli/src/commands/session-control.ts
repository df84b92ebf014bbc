import { isJsonObject, type JsonObject } from "@opspawn/contract";
import type { SessionFork } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { readInput } from "../document.ts";
import { usageError } from "../failure.ts";
import { collectPairs } from "../options.ts";

type Labels = Record<string, string>;

/** What is done to a session that exists. */
export function addControl(sessions: Command, context: Context): void {
  addPausing(sessions, context);
  addAgain(sessions, context);
  const signal = sessions
    .command("signal <session> <name>")
    .description("Send a signal; it is kept until a step waits for it.")
    .option("--payload <json>", "JSON, @file, or - for stdin")
    .option("--idempotency-key <key>", "the same key sends it only once in 24 h")
    .action(context.action(sendSignal));
  withExamples(signal, ["sessions signal SESSION paid --payload '{\"amount\": 12}'"]);
}

function addPausing(sessions: Command, context: Context): void {
  const pause = sessions
    .command("pause <session>")
    .description("Let what runs end, and give nothing new out until it is resumed.")
    .option("--reason <text>", "kept with the session")
    .action(
      context.action(async (call, id: string, options: { reason?: string }) => {
        const session = await call.client.sessions.pause(id, { reason: options.reason });
        call.output.done(session, `Session ${session.sessionId} is ${session.status}.`);
        call.say(`Let it go on: ${call.io.settings.program} sessions resume ${session.sessionId}`);
      }),
    );
  withExamples(pause, ["sessions pause SESSION --reason 'the index is being rebuilt'"]);

  const resume = sessions
    .command("resume <session>")
    .description("Let a paused session go on.")
    .action(
      context.action(async (call, id: string) => {
        const session = await call.client.sessions.resume(id);
        call.output.done(session, `Session ${session.sessionId} is ${session.status}.`);
      }),
    );
  withExamples(resume, ["sessions resume SESSION"]);
}

function addAgain(sessions: Command, context: Context): void {
  const retry = sessions
    .command("retry <session>")
    .description("Go on where a session failed or was cancelled, in a new one.")
    .option("--label <key=value>", "instead of its labels (repeatable)", collectPairs)
    .option("--idempotency-key <key>", "the same key does it only once in 24 h")
    .action(context.action(retrySession));
  withExamples(retry, ["sessions retry SESSION"]);

  const fork = sessions
    .command("fork <session>")
    .description("Do a step and all behind it again, in a new session.")
    .requiredOption("--from <step>", "the step to begin at")
    .option("--input <json>", "another input: JSON, @file, or - for stdin")
    .option("--parameters <json>", "what that step gets: JSON, @file, or -")
    .option("--label <key=value>", "instead of its labels (repeatable)", collectPairs)
    .option("--idempotency-key <key>", "the same key does it only once in 24 h")
    .action(context.action(forkSession));
  withExamples(fork, [
    "sessions fork SESSION --from score",
    "sessions fork SESSION --from score --parameters @better.json",
  ]);
}

interface AgainOptions {
  readonly label?: Labels;
  readonly idempotencyKey?: string;
}

async function retrySession(call: Call, id: string, { label, idempotencyKey }: AgainOptions): Promise<void> {
  const body = label === undefined ? {} : { labels: label };
  showBegun(call, await call.client.sessions.retry(id, body, { idempotencyKey }));
}

interface ForkOptions extends AgainOptions {
  readonly from: string;
  readonly input?: string;
  readonly parameters?: string;
}

async function forkSession(call: Call, id: string, options: ForkOptions): Promise<void> {
  const { from, input, parameters, label, idempotencyKey } = options;
  const body: SessionFork = { from };
  if (input !== undefined) body.input = await readInput(call.io, input);
  if (parameters !== undefined) body.parameters = await readObject(call, parameters);
  if (label !== undefined) body.labels = label;
  showBegun(call, await call.client.sessions.fork(id, body, { idempotencyKey }));
}

async function readObject(call: Call, text: string): Promise<JsonObject> {
  const value = await readInput(call.io, text, "--parameters");
  if (isJsonObject(value)) return value;
  throw usageError("--parameters must be a JSON object.");
}

interface Begun {
  readonly sessionId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly status: string;
  readonly forkedFrom: string;
}

function showBegun(call: Call, begun: Begun): void {
  call.output.record(begun, [
    ["Session", begun.sessionId],
    ["Goes on from", begun.forkedFrom],
    ["Workflow", `${begun.workflowId} ${begun.workflowVersion}`],
    ["Status", begun.status],
  ]);
  call.say(`Watch it: ${call.io.settings.program} sessions watch ${begun.sessionId}`);
}

interface SignalOptions {
  readonly payload?: string;
  readonly idempotencyKey?: string;
}

async function sendSignal(call: Call, id: string, name: string, options: SignalOptions): Promise<void> {
  const { payload, idempotencyKey } = options;
  const body = payload === undefined ? {} : { payload: await readInput(call.io, payload, "--payload") };
  const sent = await call.client.sessions.signal(id, name, body, { idempotencyKey });
  const what = sent.delivered ? "was taken by the step that waited for it" : "is kept: no step waits for it yet";
  call.output.done(sent, `Signal ${sent.name} ${what}.`);
}
