import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { type ServeOptions, serverStart, withServerOptions } from "./serve.ts";

/** `opspawn dev`: everything in one process, for one person at one machine. */
export function addDev(program: Command, context: Context): void {
  const command = program.command("dev").description("Start the whole platform in one process.");
  withServerOptions(command).action(context.action(dev));
  withExamples(command, ["dev", "dev --port 9000 --data ./try"]);
}

function dev(call: Call, options: ServeOptions): Promise<ExitCode> {
  const { LOG_LEVEL } = call.io.settings.environment;
  // Every request as a line of JSON would bury what a person wants to see; the log level brings them back.
  const logLevel = options.logLevel ?? (LOG_LEVEL ? undefined : "warn");
  const onListening = (url: string): void => call.say(welcome(call, url));
  return call.io.startServer({ ...serverStart(call, { ...options, logLevel }), onListening }) as Promise<ExitCode>;
}

/** How to go on. The server itself says where it is and where its data are. */
function welcome(call: Call, url: string): string {
  const { program } = call.io.settings;
  const urlOption = call.url === url ? "" : ` --url ${url}`;
  const dataOption = call.isDataChosen ? ` --data ${call.data}` : "";
  return [
    "",
    `The reference of its API is at ${url}/docs. Ctrl-C stops the server; the data stays.`,
    "In another terminal, from this folder:",
    `  ${program}${urlOption}${dataOption} agents list`,
    `  ${program}${urlOption}${dataOption} run flow.yaml --wait`,
    "",
  ].join("\n");
}
