import type { BackfillRequest, ScheduleDefinition } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { readInput } from "../document.ts";
import { collectPairs, duration, oneOf, whole } from "../options.ts";
import type { Column } from "../output/table.ts";
import { becameOf, nextText, shortTime, showSchedule } from "./schedule-view.ts";

const OVERLAPS = ["skip", "queue", "allow"] as const;
const CATCH_UPS = ["skip", "one", "all"] as const;

interface DefinitionOptions {
  readonly workflow: string;
  readonly definitionVersion?: string;
  readonly input?: string;
  readonly agent?: string;
  readonly label?: Record<string, string>;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly every?: string;
  readonly anchor?: string;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly overlap?: (typeof OVERLAPS)[number];
  readonly catchUp?: (typeof CATCH_UPS)[number];
  readonly catchUpWindow?: string;
}

export function addCreate(schedules: Command, context: Context): void {
  const create = withDefinition(schedules.command("create <name>"))
    .description("Create a schedule.")
    .option("--paused", "start nothing until it is resumed")
    .option("--note <text>", "why it is paused; shown with it")
    .option("--idempotency-key <key>", "the same key creates only one in 24 h")
    .action(context.action(createSchedule));
  withExamples(create, [
    "schedules create nightly --workflow report --cron '30 2 * * *' \\\n      --time-zone Europe/Berlin",
    "schedules create pulse --workflow check --every 15m --overlap queue",
  ]);
}

export function addUpdate(schedules: Command, context: Context): void {
  const update = withDefinition(schedules.command("update <schedule>"))
    .description("Replace what a schedule starts and when, all of it; what is not\ngiven gets its default.")
    .option("--name <name>", "another name")
    .action(context.action(updateSchedule));
  withExamples(update, ["schedules update pulse --workflow check --every 30m"]);
}

function withDefinition(command: Command): Command {
  return command
    .requiredOption("--workflow <id>", "the applied workflow to start")
    .option("--definition-version <version>", "of the workflow (default: the latest each time)")
    .option("--input <json>", "the input: JSON, @file, or - for stdin")
    .option("--agent <id>", "the agent for steps that name none")
    .option("--label <key=value>", "label its sessions (repeatable)", collectPairs)
    .option("--cron <expression>", "when: minute hour day month weekday")
    .option("--time-zone <name>", "for --cron, such as Europe/Berlin (default: UTC)")
    .option("--every <time>", "instead of --cron: such as 15m", duration)
    .option("--anchor <time>", "a time that --every counts from")
    .option("--start-at <time>", "not before, such as 2026-05-01T12:00:00Z")
    .option("--end-at <time>", "not at or after")
    .option("--overlap <policy>", "while one is open: skip (default), queue or allow", oneOf(OVERLAPS))
    .option("--catch-up <policy>", "after an outage: skip, one (default) or all", oneOf(CATCH_UPS))
    .option("--catch-up-window <time>", "how far back (default: 1h, at most 7d)", duration);
}

type CreateOptions = DefinitionOptions & { paused?: true; note?: string; idempotencyKey?: string };

async function createSchedule(call: Call, name: string, options: CreateOptions): Promise<void> {
  const { paused, note, idempotencyKey } = options;
  const body = { ...(await definitionOf(call, name, options)), paused, note };
  const schedule = await call.client.schedules.create(body, { idempotencyKey });
  call.output.done(
    schedule,
    `Schedule ${schedule.name} (${schedule.scheduleId}) is ${schedule.status}. ${nextText(schedule)}`,
  );
}

async function updateSchedule(call: Call, id: string, options: DefinitionOptions & { name?: string }): Promise<void> {
  const name = options.name ?? (await call.client.schedules.get(id)).name;
  showSchedule(call, await call.client.schedules.update(id, await definitionOf(call, name, options)));
}

async function definitionOf(call: Call, name: string, options: DefinitionOptions): Promise<ScheduleDefinition> {
  const { workflow, definitionVersion, input, agent, label, ...rest } = options;
  const { cron, timeZone, every, anchor, startAt, endAt, overlap, catchUp, catchUpWindow } = rest;
  return {
    ...{ name, workflowId: workflow, version: definitionVersion, agentId: agent, labels: label },
    ...(input === undefined ? {} : { input: await readInput(call.io, input) }),
    ...{ cron, timeZone, every, anchor, startAt, endAt, overlap, catchUp, catchUpWindow },
  };
}

type Backfilled = Awaited<ReturnType<Call["client"]["schedules"]["backfill"]>>["items"][number];
type BackfillOptions = Omit<BackfillRequest, "from"> & { readonly from: string };

export function addBackfill(schedules: Command, context: Context): void {
  const backfill = schedules
    .command("backfill <schedule>")
    .description("Fire the due times of the past that started nothing, in order.")
    .requiredOption("--from <time>", "from this time on, such as 2026-05-01T00:00:00Z")
    .option("--to <time>", "before this time (default: now)")
    .option("--max <n>", "at most so many (default: 100, at most 1000)", whole(1, 1_000))
    .option("--overlap <policy>", "skip, queue or allow (default: the schedule's own)", oneOf(OVERLAPS))
    .option("--dry-run", "only say what would be fired")
    .action(context.action(backfillSchedule));
  withExamples(backfill, [
    "schedules backfill nightly --from 2026-05-01T00:00:00Z --dry-run",
    "schedules backfill pulse --from 2026-05-01T00:00:00Z --max 500",
  ]);
}

async function backfillSchedule(call: Call, id: string, options: BackfillOptions): Promise<void> {
  const { from, to, max, overlap, dryRun } = options;
  const answer = await call.client.schedules.backfill(id, { from, to, max, overlap, dryRun });
  if (answer.next !== null) call.say(`There is more: go on with --from ${answer.next}`);
  if (call.output.data(answer)) return;
  if (answer.items.length === 0) call.say("Nothing to do: each due time there has started something, or waits to.");
  else call.output.lines(call.output.table(answer.items, columns));
}

const columns: readonly Column<Backfilled>[] = [
  { title: "DUE", value: (item) => shortTime(item.dueAt) },
  { title: "OUTCOME", value: (item) => item.outcome },
  { title: "SESSION OR REASON", value: becameOf, least: 12 },
];
