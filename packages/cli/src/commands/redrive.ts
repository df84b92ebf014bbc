import type { OperationOutput, operations, TaskView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { usageError } from "../failure.ts";
import { whole } from "../options.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";

type Redriven = OperationOutput<typeof operations.tasks.redrive>;

interface RedriveOptions {
  readonly all?: true;
  readonly capability?: string;
  readonly session?: string;
  readonly max: number;
}

const MAX = 100;

/** `opspawn tasks redrive`. */
export function addRedrive(tasks: Command, context: Context): void {
  const redrive = tasks
    .command("redrive [tasks...]")
    .description("Do dead letters again: as new tasks, or in new sessions.")
    .option("--all", "all that were not redriven yet, newest first")
    .option("--capability <name>", "with --all: those that ask for it")
    .option("--session <id>", "with --all: those of this session")
    .option("--max <n>", "with --all: at most so many", whole(1, 10_000), MAX)
    .action(context.action(redriveTasks));
  withExamples(redrive, ["tasks redrive TASK", "tasks redrive --all --capability web.fetch --max 20"]);
}

const columns: readonly Column<Redriven>[] = [
  { title: "DEAD LETTER", value: (each) => each.redriveOf, least: ID_WIDTH },
  { title: "NOW", value: (each) => each.taskId ?? each.sessionId, least: 20 },
];

async function redriveTasks(call: Call, ids: readonly string[], options: RedriveOptions): Promise<void> {
  if (ids.length > 0 === (options.all === true)) throw usageError("Name the tasks, or give --all.");
  if (options.all !== true && (options.capability ?? options.session) !== undefined) {
    throw usageError("--capability and --session go with --all.");
  }
  const redriven: Redriven[] = [];
  for await (const id of options.all === true ? deadLetters(call, options) : ids) {
    // The same key for the same task: who asks again within a day gets the same answer.
    redriven.push(await call.client.tasks.redrive(id, { idempotencyKey: `redrive-${id}` }));
  }
  if (!call.output.data(redriven)) {
    if (redriven.length > 0) call.output.lines(call.output.table(redriven, columns));
    else call.say("There are no dead letters to redrive.");
  }
  if (options.all === true && redriven.length >= options.max) {
    call.say(`That is as many as --max allows (${options.max}); there may be more.`);
  }
}

/** Listed before anything is redriven, one of each session: that goes on as a whole. */
async function* deadLetters(call: Call, { capability, session, max }: RedriveOptions): AsyncIterable<string> {
  const query = { deadLetter: "true", redriven: "false", capability, session } as const;
  const sessions = new Set<string>();
  const found: TaskView[] = [];
  for await (const task of call.client.tasks.listAll(query)) {
    if (task.sessionId !== null && sessions.has(task.sessionId)) continue;
    if (task.sessionId !== null) sessions.add(task.sessionId);
    found.push(task);
    if (found.length >= max) break;
  }
  for (const { taskId } of found) yield taskId;
}
