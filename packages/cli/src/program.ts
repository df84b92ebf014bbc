import { Command, CommanderError, Option } from "commander";
import { addAgents } from "./commands/agents.ts";
import { addApprovals } from "./commands/approvals.ts";
import { addDeliveries } from "./commands/deliveries.ts";
import { addDev } from "./commands/dev.ts";
import { addEvents } from "./commands/events.ts";
import { addKeys } from "./commands/keys.ts";
import { addLimits } from "./commands/limits.ts";
import { addRun } from "./commands/run.ts";
import { addSchedules } from "./commands/schedules.ts";
import { addServe } from "./commands/serve.ts";
import { addSessions } from "./commands/sessions.ts";
import { addSimulate } from "./commands/simulate.ts";
import { addTasks } from "./commands/tasks.ts";
import { addTools } from "./commands/tools.ts";
import { addWhy } from "./commands/why.ts";
import { addWorkflows } from "./commands/workflows.ts";
import { Context, withExamples } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { explain } from "./failure.ts";
import type { Io } from "./io.ts";
import { oneOf } from "./options.ts";
import { FORMATS } from "./output/output.ts";
import { createStyle } from "./output/style.ts";
import { plainLines } from "./output/text.ts";
import { VERSION } from "./version.ts";
import { valuesOfWait } from "./wait-option.ts";

const HELP_WIDTH = 80;

const EXAMPLES = [
  "dev                   # start the platform",
  "run flow.yaml --wait  # run a workflow to its end",
  "why SESSION           # say what it waits for",
];

const MORE_HELP = `
Without --url the server is http://127.0.0.1:8000, without --data its folder is
./.opspawn. A server on this machine is sent the admin key of that folder when
no other key is given. An option goes before the variable named behind it.

Exit codes:
  0 ok  1 failure  2 usage  4 key refused  5 not found
  6 the session that was waited for did not complete`;

/** The whole command line, bound to the world it runs in. */
export function createProgram(context: Context): Command {
  const { io } = context;
  const program = new Command("opspawn")
    .description("Runs fleets of AI agents.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: globalOptions })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "Error: ")),
      getOutHelpWidth: () => Math.min(io.columns, HELP_WIDTH),
      getErrHelpWidth: () => Math.min(io.columns, HELP_WIDTH),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("Add --help to see how it is used.")
    .exitOverride()
    .option("--url <url>", "the server (OPSPAWN_URL)")
    .option("--key <key>", "the API key (OPSPAWN_API_KEY)")
    .option("--data <dir>", "the server's data folder (OPSPAWN_DATA)")
    .addOption(outputOption());
  program.commandsGroup("Server:");
  addDev(program, context);
  addServe(program, context);
  program.commandsGroup("Work:");
  addRun(program, context);
  addWorkflows(program, context);
  addSessions(program, context);
  addTasks(program, context);
  addSchedules(program, context);
  addApprovals(program, context);
  addWhy(program, context);
  addSimulate(program, context);
  program.commandsGroup("Fleet:");
  addAgents(program, context);
  addTools(program, context);
  addLimits(program, context);
  program.commandsGroup("Operation:");
  addEvents(program, context);
  addDeliveries(program, context);
  addKeys(program, context);
  program.helpCommand("help [command]", "Print the help of a command.");
  return withExamples(program, EXAMPLES).addHelpText("after", MORE_HELP);
}

function outputOption(): Option {
  const option = new Option("-o, --output <format>", "table (the default), json, yaml or jsonl");
  return option.argParser(oneOf(FORMATS));
}

/** What every command takes, for its help. */
function globalOptions(command: Command): Option[] {
  const options = command.parent === null ? [] : rootOf(command).options;
  return options.filter((option) => option.long !== "--version");
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

/**
 * Does what the command line says. Never throws.
 * @param argv without the program's own name
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const context = new Context(io);
  try {
    const program = createProgram(context);
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(valuesOfWait(argv), { from: "user" });
    return context.exitCode;
  } catch (error) {
    // Commander has said already what is wrong.
    if (error instanceof CommanderError) return isAsked(error) ? EXIT.ok : EXIT.usage;
    return report(error, io);
  }
}

/** Help and version end the parsing by an error too. */
function isAsked(error: CommanderError): boolean {
  return error.exitCode === 0;
}

function report(error: unknown, io: Io): ExitCode {
  const { message, lines, exitCode } = explain(error);
  const style = createStyle(io.stderr.isTerminal && io.settings.isColourWanted);
  const rest = lines.map((line) => `${plainLines(line)}\n`).join("");
  io.stderr.write(`${style("bad", "Error:")} ${plainLines(message)}\n${rest}`);
  return exitCode;
}
