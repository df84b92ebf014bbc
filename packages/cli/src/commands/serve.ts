import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { whole } from "../options.ts";
import type { ServerStart } from "../server.ts";

export interface ServeOptions {
  readonly role?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly logLevel?: string | undefined;
}

/** `opspawn serve`: the server as a service runs it, its log on stdout. */
export function addServe(program: Command, context: Context): void {
  const command = program
    .command("serve")
    .description("Start the server, or some of its roles.")
    .option("--role <roles>", "any of api,engine,worker,agentkit (default: all)");
  withServerOptions(command).action(context.action(serve));
  withExamples(command, ["serve --port 8000 --data /var/lib/opspawn", "serve --role agentkit --port 8001"]);
}

/** What can be said to a server; it has its own settings and defaults for what is not. */
export function withServerOptions(command: Command): Command {
  return command
    .option("--host <host>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "port to listen on (default: 8000; 0 takes a free one)", whole(0, 65_535))
    .option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent");
}

function serve(call: Call, options: ServeOptions): Promise<ExitCode> {
  return call.io.startServer(serverStart(call, options)) as Promise<ExitCode>;
}

/** The flags for a server, started where the caller stands. */
export function serverStart(call: Call, options: ServeOptions): ServerStart {
  const { settings } = call.io;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ["--role", options.role],
    ["--host", options.host],
    ["--port", options.port],
    ["--log-level", options.logLevel],
    // Absolute: the server may read relative ones from elsewhere.
    ["--data", call.isDataChosen ? call.data : undefined],
  ];
  const args = given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
  return { args, folder: settings.folder, environment: settings.environment, clock: call.io.clock };
}
