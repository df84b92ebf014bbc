import type { OperationOutput, operations, TaskView } from "@opspawn/contract";
import type { TaskQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age, elapsed } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";
import { cancellationFields, summary } from "./cancellations.ts";
import { addRedrive } from "./redrive.ts";
import { showWhy } from "./why.ts";

type TaskDetail = OperationOutput<typeof operations.tasks.get>;

/** `opspawn tasks`: units of work. */
export function addTasks(program: Command, context: Context): void {
  const tasks = noun(program, "tasks", "List, show, explain and cancel units of work.", [
    "tasks list --status pending",
    "tasks dead-letters",
  ]);
  const list = withPaging(tasks.command("list").description("List tasks, newest first."))
    .option("--status <status>", "pending, running, completed, failed or cancelled")
    .option("--session <id>", "of this session")
    .option("--agent <id>", "with this agent")
    .option("--blocked <reason>", "waiting for this reason")
    .action(context.action(listTasks));
  withExamples(list, ["tasks list --session SESSION", "tasks list --status pending --blocked no_capable_agent"]);

  const dead = withPaging(tasks.command("dead-letters").description("List tasks that ran out of attempts or time."))
    .option("--session <id>", "of this session")
    .option("--agent <id>", "with this agent")
    .action(context.action(listDeadLetters));
  withExamples(dead, ["tasks dead-letters", "tasks dead-letters --all -o jsonl"]);

  const get = tasks
    .command("get <task>")
    .description("Show a task with its attempts and result.")
    .action(context.action(async (call, id: string) => showTask(call, await call.client.tasks.get(id))));
  withExamples(get, ["tasks get TASK"]);

  const why = tasks
    .command("why <task>")
    .description("Say why a task waits.")
    .action(context.action(async (call, id: string) => showWhy(call, await call.client.tasks.why(id))));
  withExamples(why, ["tasks why TASK"]);

  addRedrive(tasks, context);

  const cancel = tasks
    .command("cancel <task>")
    .description("Cancel a stand-alone task; a session's task is cancelled with its session.")
    .action(
      context.action(async (call, id: string) => {
        const task = await call.client.tasks.cancel(id);
        const told = task.cancellations.length === 0 ? "" : ` ${summary(task.cancellations)}`;
        call.output.done(task, `Task ${task.taskId} is ${task.status}.${told}`);
      }),
    );
  withExamples(cancel, ["tasks cancel TASK"]);
}

type ListOptions = PageOptions & Omit<TaskQuery, "limit" | "cursor" | "blockedReason"> & { blocked?: string };

const idColumn: Column<TaskView> = { title: "TASK", value: (task) => task.taskId, least: ID_WIDTH };
const nameColumn: Column<TaskView> = { title: "NAME", value: (task) => task.name, least: 6 };
const triesColumn: Column<TaskView> = {
  title: "TRIES",
  value: (task) => `${task.attempts.used}/${task.attempts.max}`,
};

function listTasks(call: Call, options: ListOptions): Promise<void> {
  const { status, session, agent, blocked } = options;
  const columns: Column<TaskView>[] = [
    idColumn,
    { title: "STATUS", value: (task) => task.status, tone: (task) => toneOf(task.status) },
    nameColumn,
    { title: "WAITS FOR", value: (task) => task.blocked?.reason, least: 16 },
  ];
  const filters = { status, session, agent, blockedReason: blocked };
  const page = (query: TaskQuery) => call.client.tasks.list({ ...filters, ...query });
  return showList(call, options, { page, columns, empty: "There are no such tasks." });
}

function listDeadLetters(call: Call, options: ListOptions): Promise<void> {
  const { session, agent } = options;
  const now = call.io.clock.now();
  const columns: Column<TaskView>[] = [
    idColumn,
    nameColumn,
    triesColumn,
    { title: "AGE", value: (task) => age(task.endedAt, now) },
    { title: "ERROR", value: (task) => task.error && `${task.error.code}: ${task.error.message}`, least: 10 },
  ];
  const page = (query: TaskQuery) => call.client.tasks.list({ session, agent, deadLetter: "true", ...query });
  return showList(call, options, { page, columns, empty: "There are no dead letters.", hint: "tasks get TASK" });
}

function showTask(call: Call, task: TaskDetail): void {
  const { agentId, agentName, capability, tool } = task.requirement;
  const fields: Field[] = [
    ["Task", task.taskId],
    ["Name", task.name],
    ["Status", task.status + (task.deadLetter ? " (dead letter)" : ""), toneOf(task.status)],
    ["Needs", tool === null ? (agentId ?? agentName ?? prefixed("capability", capability)) : `tool ${tool}`],
    ["Attempts", `${task.attempts.used} of ${task.attempts.max}${task.fellBack ? ", on the fallback" : ""}`],
    ["Created", `${task.createdAt} (${age(task.createdAt, call.io.clock.now())} ago)`],
    ["Deadline", task.deadline],
  ];
  if (task.sessionId !== null) fields.push(["Session", task.sessionId], ["Step", task.stepId]);
  if (task.progress !== null) fields.push(["Progress", progressText(call, task.progress)]);
  if (task.error !== null) fields.push(["Error", `${task.error.code}: ${task.error.message}`]);
  if (task.blocked !== null) fields.push(["Waits for", task.blocked.message]);
  const attempts = call.output.table(task.attemptList, attemptColumns);
  if (task.attemptList.length > 0) fields.push({ title: "Attempts", lines: attempts });
  fields.push(...cancellationFields(call, task.cancellations));
  fields.push({ title: "Parameters", lines: jsonLines(task.parameters) });
  if (task.status === "completed") fields.push({ title: "Result", lines: jsonLines(task.result) });
  call.output.record(task, fields);
}

function progressText(call: Call, progress: NonNullable<TaskView["progress"]>): string {
  const { counter, note, at, suspectSince } = progress;
  const said = at === null ? "nothing said yet" : `${counter ?? "no counter"} (${age(at, call.io.clock.now())} ago)`;
  const frozen = suspectSince === null ? "" : `, frozen since ${suspectSince}`;
  return said + (note === null ? "" : `: ${note}`) + frozen;
}

function prefixed(word: string, value: string | null): string | null {
  return value === null ? null : `${word} ${value}`;
}

const attemptColumns: readonly Column<TaskDetail["attemptList"][number]>[] = [
  { title: "NO", value: (attempt) => attempt.number },
  { title: "STATUS", value: (attempt) => attempt.status, tone: (attempt) => toneOf(attempt.status) },
  {
    title: "AGENT",
    value: (attempt) => attempt.agentName ?? attempt.agentId ?? prefixed("tool", attempt.tool),
    least: 8,
  },
  { title: "SENT", value: (attempt) => attempt.sends },
  { title: "TOOK", value: (attempt) => elapsed(attempt.createdAt, attempt.endedAt) },
  { title: "HOW WE KNOW", value: (attempt) => attempt.evidence },
  { title: "ERROR", value: (attempt) => attempt.error?.message, least: 10 },
];
