import { relative } from "node:path";
import { sleep } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { baseUrlOf, type ServeOptions, serverStart, withServerOptions } from "./serve.ts";

const POLL_EVERY = 100_000;

/** `opspawn dev`: everything in one process, for one person at one machine. */
export function addDev(program: Command, context: Context): void {
  const command = program.command("dev").description("Start the whole platform in one process.");
  withServerOptions(command).action(context.action(dev));
  withExamples(command, ["dev", "dev --port 9000 --data /tmp/try"]);
}

async function dev(call: Call, options: ServeOptions): Promise<ExitCode> {
  const { LOG_LEVEL } = call.io.settings.environment;
  // Every request as a line of JSON would bury what a person wants to see; the log level brings them back.
  const logLevel = options.logLevel ?? (LOG_LEVEL ? undefined : "warn");
  const ended = new AbortController();
  const exit = call.io.startServer(serverStart(call, { ...options, logLevel })).finally(() => ended.abort());
  const welcoming = welcome(call, baseUrlOf(call, options), ended.signal);
  const exitCode = await exit;
  await welcoming;
  return exitCode as ExitCode;
}

/** Waits until the server is ready, then says what to do with it. */
async function welcome(call: Call, url: string | null, ended: AbortSignal): Promise<void> {
  if (url === null) return;
  while (!ended.aborted) {
    const ready = await call.io.fetch(`${url}/readyz`, { signal: ended }).catch(() => undefined);
    if (ready?.ok && !ended.aborted) return call.say(welcomeText(call, url));
    await sleep(call.io.clock, POLL_EVERY, ended).catch(() => undefined);
  }
}

function welcomeText(call: Call, url: string): string {
  const folder = relative(call.io.settings.folder, call.data) || ".";
  const option = call.url === url ? "" : ` --url ${url}`;
  const data = call.isDataChosen ? ` --data ${folder}` : "";
  return [
    "",
    `Opspawn is ready at ${url} (reference: ${url}/docs).`,
    `Data and the admin key are in ${folder}. Ctrl-C stops it; the data stays.`,
    "",
    "In another terminal, from this folder:",
    `  opspawn${option}${data} agents list`,
    `  opspawn${option}${data} run flow.yaml --wait`,
    "",
  ].join("\n");
}
