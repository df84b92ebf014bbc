import type { FireView, ScheduleView } from "@opspawn/contract";
import type { FireQuery, ScheduleQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { whole } from "../options.ts";
import { toneOf } from "../output/style.ts";
import type { Column } from "../output/table.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";
import { addBackfill, addCreate, addUpdate } from "./schedule-changes.ts";
import {
  becameOf,
  fireTone,
  inZone,
  nextText,
  outcomeText,
  shortTime,
  showSchedule,
  statusOf,
  whenText,
} from "./schedule-view.ts";

/** `opspawn schedules`: workflows that start by themselves. */
export function addSchedules(program: Command, context: Context): void {
  const schedules = noun(program, "schedules", "Start workflows again and again, by clock or interval.", [
    "schedules create nightly --workflow report --cron '30 2 * * *'",
    "schedules list",
  ]);
  addReading(schedules, context);
  addCreate(schedules, context);
  addUpdate(schedules, context);
  addSwitches(schedules, context);
  addBackfill(schedules, context);
}

function addReading(schedules: Command, context: Context): void {
  const list = withPaging(schedules.command("list").description("List schedules, by name."))
    .option("--paused", "only those that are paused")
    .option("--running", "only those that are not")
    .option("--workflow <id>", "that start this workflow")
    .option("--label <key=value>", "with this label")
    .action(context.action(listSchedules));
  withExamples(list, ["schedules list", "schedules list --paused"]);

  const get = schedules
    .command("get <schedule>")
    .description("Show a schedule, by id or name.")
    .action(context.action(async (call, id: string) => showSchedule(call, await call.client.schedules.get(id))));
  withExamples(get, ["schedules get nightly"]);

  const fires = withPaging(schedules.command("fires <schedule>"))
    .description("List what became of its due times, newest first.")
    .option("--outcome <outcome>", "queued, started, skipped, failed or missed")
    .action(context.action(listFires));
  withExamples(fires, ["schedules fires nightly --outcome failed"]);

  const next = schedules
    .command("next <schedule>")
    .description("Print its next due times.")
    .option("--count <n>", "how many (default: 10, at most 100)", whole(1, 100))
    .option("--after <time>", "after this time, such as 2026-05-01T12:00:00Z")
    .action(
      context.action(async (call, id: string, { count, after }: { count?: number; after?: string }) => {
        const due = await call.client.schedules.next(id, {
          ...(count === undefined ? {} : { count }),
          ...(after === undefined ? {} : { after }),
        });
        if (!call.output.data(due)) call.output.lines(due.items.map((time) => inZone(time, due.timeZone)));
      }),
    );
  withExamples(next, ["schedules next nightly --count 3"]);
}

function addSwitches(schedules: Command, context: Context): void {
  const pause = schedules
    .command("pause <schedule>")
    .description("Start nothing until it is resumed; what falls due meanwhile is\nleft out.")
    .option("--note <text>", "why; shown with it")
    .action(
      context.action(async (call, id: string, { note }: { note?: string }) => {
        const schedule = await call.client.schedules.pause(id, { note });
        call.output.done(schedule, `Schedule ${schedule.name} is paused.`);
      }),
    );
  withExamples(pause, ["schedules pause nightly --note 'the site is being moved'"]);

  const resume = schedules
    .command("resume <schedule>")
    .description("Go on from the next due time.")
    .action(
      context.action(async (call, id: string) => {
        const schedule = await call.client.schedules.resume(id);
        call.output.done(schedule, `Schedule ${schedule.name} is ${schedule.status}. ${nextText(schedule)}`);
      }),
    );
  withExamples(resume, ["schedules resume nightly"]);

  const trigger = schedules
    .command("trigger <schedule>")
    .description("Start its workflow now, paused or not, whatever is still open.")
    .option("--idempotency-key <key>", "the same key starts it only once in 24 h")
    .action(
      context.action(async (call, id: string, { idempotencyKey }: { idempotencyKey?: string }) => {
        const started = await call.client.schedules.trigger(id, { idempotencyKey });
        call.output.done(started, started.sessionId);
        call.say(`Watch it: ${call.io.settings.program} sessions watch ${started.sessionId}`);
      }),
    );
  withExamples(trigger, ["schedules trigger nightly"]);

  const remove = schedules
    .command("delete <schedule>")
    .description("Delete a schedule with its history; sessions it started go on.")
    .action(
      context.action(async (call, id: string) => {
        const removed = await call.client.schedules.remove(id);
        call.output.done(removed, `Schedule ${removed.name} is deleted.`);
      }),
    );
  withExamples(remove, ["schedules delete nightly"]);
}

type ListOptions = PageOptions & { paused?: true; running?: true; workflow?: string; label?: string };

function listSchedules(call: Call, options: ListOptions): Promise<void> {
  const { workflow, label } = options;
  const paused = options.paused === true ? "true" : options.running && "false";
  const columns: Column<ScheduleView>[] = [
    { title: "SCHEDULE", value: (schedule) => schedule.name, least: 10 },
    { title: "STATUS", value: statusOf, tone: (schedule) => toneOf(statusOf(schedule)) },
    { title: "WORKFLOW", value: (schedule) => schedule.workflowId, least: 8 },
    { title: "WHEN", value: whenText, least: 9 },
    { title: "NEXT", value: (schedule) => shortTime(schedule.nextAt) },
    { title: "LAST", value: (schedule) => schedule.lastFire?.outcome, tone: (each) => fireTone(each.lastFire) },
  ];
  const page = (query: ScheduleQuery) => call.client.schedules.list({ paused, workflow, label, ...query });
  const remedy = "schedules create NAME --workflow ID --every 1h";
  return showList(call, options, { page, columns, empty: "There are no such schedules.", remedy });
}

function listFires(call: Call, id: string, options: PageOptions & { outcome?: FireQuery["outcome"] }): Promise<void> {
  const columns: Column<FireView>[] = [
    { title: "NO", value: (fire) => fire.sequence },
    { title: "DUE", value: (fire) => shortTime(fire.dueAt) },
    { title: "OUTCOME", value: outcomeText, tone: fireTone },
    { title: "KIND", value: (fire) => fire.kind },
    { title: "SESSION OR REASON", value: becameOf, least: 12 },
  ];
  const { outcome } = options;
  const page = (query: FireQuery) => call.client.schedules.fires(id, { outcome, ...query });
  return showList(call, options, { page, columns, empty: "Nothing of it has been due yet." });
}
