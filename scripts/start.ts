// What `npm start` runs: the platform, three example agents, and a workflow that really reports on documents.

import { setTimeout as wait } from "node:timers/promises";
import { isPassing, OpspawnApiError } from "@opspawn/sdk";
import { readOptions, USAGE } from "./start/options.ts";
import { run } from "./start/run.ts";
import { Screen } from "./start/screen.ts";
import { repositoryPath, type Service } from "./start/service.ts";
import { StartError } from "./start/start-error.ts";

const EXIT = { ok: 0, failed: 1, interrupted: 130 } as const;

const repository = repositoryPath(".");
const screen = new Screen(process.stdout);
const services: Service[] = [];
const stopping = new AbortController();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) {
      for (const service of services) service.kill();
      process.exit(EXIT.interrupted);
    }
    screen.line("\nStopping. Once more to stop at once.");
    stopping.abort();
  });
}

// Whoever read our output has left (`npm start | head`): there is nobody to run for.
process.stdout.on("error", () => stopping.abort());

process.exitCode = await main();
await stopAll();
process.exit();

async function main(): Promise<number> {
  try {
    const cwd = process.env.OPSPAWN_CWD ?? process.env.INIT_CWD ?? process.cwd();
    const options = readOptions(process.argv.slice(2), { cwd, root: repository });
    if (options.help) {
      screen.line(USAGE);
      return EXIT.ok;
    }
    const completed = await run(options, { repository, screen, signal: stopping.signal, services });
    if (stopping.signal.aborted) return EXIT.interrupted;
    if (!options.once) await wait(2 ** 31 - 1, undefined, { signal: stopping.signal }).catch(() => undefined);
    return completed ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.interrupted;
    process.stderr.write(`${explain(error)}\n`);
    return error instanceof StartError ? error.status : EXIT.failed;
  }
}

/** Agents first, then the platform: it still takes their last results. */
async function stopAll(): Promise<void> {
  const platform = services.at(-1);
  await Promise.all(services.slice(0, -1).map((service) => service.stop()));
  await platform?.stop();
}

function explain(error: unknown): string {
  if (error instanceof StartError) return error.message;
  if (error instanceof OpspawnApiError) return `The platform refused: ${error.message}. ${error.help}`;
  if (isPassing(error)) return `The platform does not answer any more. See .opspawn/logs/platform.log.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
