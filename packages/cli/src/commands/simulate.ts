import { isJsonObject, type JsonObject } from "@opspawn/contract";
import type { SimulateProgress, SimulateReport, SimulateRequest } from "@opspawn/testing/simulate";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { readDefinition, readInput } from "../document.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { CliError, usageError } from "../failure.ts";
import { collect, duration, whole } from "../options.ts";
import { duration as elapsed } from "../output/time.ts";
import { reportFields } from "../simulation-report.ts";

interface SimulateOptions {
  readonly agents: string;
  readonly sessions?: number;
  readonly rate?: string;
  readonly arrivals?: string;
  readonly faults?: string;
  readonly seed?: number;
  readonly target?: string;
  readonly within?: string;
  readonly workflow?: readonly string[];
}

const DESCRIPTION = `Run a workflow many times in virtual time against described agents.

The engine is the one of the server; time, agents and everybody else are made
up, from a seed. Says how long sessions take, what they wait for, who is busy,
what fails, and how many agents a target takes. No server is needed.`;

/** Microseconds between two words on how far it has come. */
const TELL_EVERY = 2_000_000;

const FAULTS: Readonly<Record<string, string>> = { "lost-answers": "lostAnswers", duplicates: "duplicates" };
const FAULTS_HINT = "Write --faults crashes=1h,lost-answers=1%,duplicates=2% (any of them).";

/** `opspawn simulate`: how a workflow does under load, before anybody runs it. */
export function addSimulate(program: Command, context: Context): void {
  const command = program
    .command("simulate <file>")
    .summary("Run a workflow in virtual time against described agents.")
    .description(DESCRIPTION)
    .requiredOption("--agents <file>", "describes the agents: JSON or YAML")
    .option("--sessions <n>", "how many are started (1000)", whole(1, 10_000_000))
    .option("--rate <rate>", "how fast they arrive, such as 10/s")
    .option("--arrivals <how>", "at-once, 10/s or poisson:10/s (at-once)")
    .option("--faults <list>", "such as crashes=1h,lost-answers=1%,duplicates=2%")
    .option("--seed <n>", "another one, another story (1)", whole(0, 4_294_967_295))
    .option("--target <text>", 'such as "p95 < 5m" or "100 sessions/min"')
    .option("--within <time>", "simulated time it may take (30d)", duration)
    .option("--workflow <file>", "one that its steps start (repeatable)", collect)
    .action(context.action(simulateWorkflow));
  withExamples(command, [
    "simulate flow.yaml --agents a.yaml --sessions 10000",
    'simulate flow.yaml --agents a.yaml --rate 5/s --target "p95 < 1m"',
    "simulate flow.yaml --agents a.yaml --faults crashes=1h -o json",
  ]);
}

async function simulateWorkflow(call: Call, file: string, options: SimulateOptions): Promise<ExitCode> {
  const { sessions, seed, target, within, faults } = options;
  if (options.rate !== undefined && options.arrivals !== undefined) throw usageError("Give --rate or --arrivals.");
  const arrivals = options.arrivals ?? options.rate;
  const others = [];
  for (const path of options.workflow ?? []) others.push(await readDefinition(call.io, path));
  const request: SimulateRequest = {
    workflow: await readDefinition(call.io, file),
    others,
    agents: await readDescription(call, options.agents),
    ...(sessions === undefined ? {} : { sessions }),
    ...(seed === undefined ? {} : { seed }),
    ...(target === undefined ? {} : { target }),
    ...(within === undefined ? {} : { within }),
    ...(arrivals === undefined ? {} : { arrivals }),
    ...(faults === undefined ? {} : { faults: readFaults(faults) }),
    onProgress: progressTeller(call),
  };
  const report = await runIt(request);
  call.output.record(report, reportFields(report, call.output));
  return report.isGood ? EXIT.ok : EXIT.failure;
}

async function readDescription(call: Call, path: string): Promise<JsonObject> {
  const value = await readInput(call.io, path === "-" ? path : `@${path}`, "--agents");
  if (!isJsonObject(value)) throw usageError(`${path} describes no agents: it must be an object at its root.`);
  return value;
}

/** The simulator contains the server, and this package may be installed without either. */
async function runIt(request: SimulateRequest): Promise<SimulateReport> {
  const simulator = await import("@opspawn/testing/simulate").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new CliError(
      EXIT.failure,
      "The simulator is not installed here.",
      "Install it: npm install @opspawn/testing",
    );
  });
  return simulator.simulate(request);
}

function readFaults(text: string): JsonObject {
  const faults: JsonObject = {};
  for (const part of text.split(",")) {
    const [name = "", value = ""] = part.split("=", 2);
    const field = FAULTS[name];
    if (value === "" || (field === undefined && name !== "crashes")) {
      throw usageError(`--faults: ${JSON.stringify(part)} is none.`, FAULTS_HINT);
    }
    if (field === undefined) faults.crashes = { every: value };
    else faults[field] = value;
  }
  return faults;
}

/** Says now and then how far it has come. */
function progressTeller(call: Call): (progress: SimulateProgress) => void {
  let toldAt = call.io.clock.now();
  let run = 0;
  return (progress) => {
    const now = call.io.clock.now();
    if (now - toldAt < TELL_EVERY) return;
    toldAt = now;
    if (progress.run > 1 && run <= 1) call.say("Looking for the number of agents that the target takes ...");
    run = progress.run;
    const time = elapsed(progress.elapsed);
    call.say(`${progress.ended} of ${progress.sessions} sessions have ended, ${time} simulated`);
  };
}
