import { OpspawnError } from "@opspawn/contract";
import { AddressError } from "./app/listen.ts";
import { App, type Surroundings } from "./app.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { ROLES } from "./config-settings.ts";
import { SECOND } from "./domain/clock.ts";
import { EXIT } from "./exit-codes.ts";
import { systemClock } from "./system/clock.ts";
import { killAt } from "./system/failpoint.ts";
import { SystemIds } from "./system/ids.ts";
import { LastingClock } from "./system/lasting-clock.ts";
import { systemTimers } from "./system/timers.ts";
import { createLog, type ProcessLog } from "./telemetry/log.ts";

const HELP = `Runs Opspawn. Logs go to stdout, one JSON object per line.

  --host HOST       address to listen on (127.0.0.1)
  --port PORT       port to listen on, 0 takes any free one (8000)
  --data FOLDER     where everything is kept (./.opspawn)
  --role ROLES      ${ROLES.join(",")} (all)
  --config FILE     settings (./opspawn.yaml)
  --log-level LEVEL trace, debug, info, warn, error, fatal or silent (info)
`;

/** Everything a stop may take; then the process ends anyway. */
const STOP_WITHIN_MS = 10_000;

/** For people; the log is for programs. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Runs a server until a signal ends it; a start that fails sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes("--help")) {
    process.stdout.write(HELP);
    return;
  }
  let log: ProcessLog | null = null;
  try {
    const config = loadConfig({ argv, cwd: process.cwd() });
    log = createLog({ level: config.logLevel, clock: systemClock, timers: systemTimers });
    await run(config, log);
  } catch (error) {
    say(explain(error));
    log?.flush();
    process.exitCode = exitCodeOf(error);
  }
}

async function run(config: Config, log: ProcessLog): Promise<void> {
  const clock = new LastingClock(systemClock);
  const ids = new SystemIds(clock);
  const surroundings = { clock, wallClock: systemClock, ids, timers: systemTimers, log };
  const app = new App(config, { ...surroundings, ...failpointOf(config, log) });
  if (clock.ahead > SECOND) {
    const seconds = Math.round(clock.ahead / SECOND);
    log.warn(
      { seconds },
      "The machine's clock is behind the data's last time; going on from there until it has caught up.",
    );
  }
  stopOnSignals(app, log);
  try {
    const adminKey = await app.start();
    announce(app, log, adminKey);
  } catch (error) {
    await app.stop();
    throw error;
  }
}

function failpointOf({ failpoint }: Config, log: ProcessLog): Pick<Surroundings, "failpoint"> {
  if (failpoint === null) return {};
  log.warn({ failpoint: failpoint.name, hit: failpoint.hit }, "OPSPAWN_FAILPOINT: this process will kill itself there");
  return { failpoint: killAt(failpoint) };
}

const EVERY_NETWORK = ["0.0.0.0", "::"];

function announce({ config, url }: App, log: ProcessLog, adminKey: string | null): void {
  const { host, roles, data, open, isLoopback, publicUrl } = config;
  log.info({ url, host, roles, data }, "listening");
  if (open.length > 0 && !isLoopback) {
    log.warn({ open, host }, "OPSPAWN_OPEN: anybody who reaches this address may use these routes without a key");
  }
  if (publicUrl === null && EVERY_NETWORK.includes(host)) {
    log.warn(
      { url, host },
      "OPSPAWN_PUBLIC_URL is not set: agents on other machines cannot reach the address they are told",
    );
  }
  // Whoever started this process and left a channel open learns the address, which with port 0 only we know.
  process.send?.({ listening: url });
  say(`Opspawn is listening on ${url}${data === null ? "" : `, its data is in ${data}`}`);
  if (adminKey === null) return;
  say(`Admin key, shown this once${data === null ? "" : ` and kept in ${data}/admin.key`}: ${adminKey}`);
}

/** A first signal lets work end, a second one does not wait. */
function stopOnSignals(app: App, log: ProcessLog): void {
  let isStopping = false;
  const stop = (signal: string): void => {
    log.info({ signal }, isStopping ? "stopping at once" : "stopping");
    if (isStopping) end(log, EXIT.failure);
    isStopping = true;
    systemTimers.set(STOP_WITHIN_MS, () => {
      log.error({}, "the stop took too long; what was under way is taken up at the next start");
      end(log, EXIT.failure);
    });
    app.stop().then(
      () => end(log, EXIT.ok),
      (error: unknown) => {
        log.error({ err: error }, "the stop failed");
        end(log, EXIT.failure);
      },
    );
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, stop);
}

function end(log: ProcessLog, code: number): never {
  log.flush();
  process.exit(code);
}

function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return `Opspawn cannot start:\n${error.problems.map((each) => `  ${each}`).join("\n")}`;
  if (error instanceof AddressError || error instanceof OpspawnError) return `Opspawn cannot start: ${error.message}`;
  return `Opspawn cannot start: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.settings;
  if (error instanceof AddressError) return EXIT.addressTaken;
  return error instanceof OpspawnError && error.code === "unavailable" ? EXIT.dataTaken : EXIT.failure;
}
