import type { LimitView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import type { Column } from "../output/table.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

/** `opspawn limits`: the keys by which tasks are limited. */
export function addLimits(program: Command, context: Context): void {
  const limits = program
    .command("limits [key]")
    .description("List the concurrency and rate limits in use, or those of a key.");
  withPaging(limits).action(context.action(listLimits));
  withExamples(limits, ["limits", "limits tenant-7", "tasks list --blocked concurrency_limit"]);
}

function listLimits(call: Call, key: string | undefined, options: PageOptions): Promise<void> {
  const columns: Column<LimitView>[] = [
    { title: "KEY", value: (limit) => limit.key, least: 12 },
    { title: "LIMIT", value: (limit) => `${limit.limit} ${limit.per === null ? "at once" : `per ${limit.per}`}` },
    { title: "HELD", value: (limit) => limit.held, tone: (limit) => (limit.held < limit.limit ? undefined : "warn") },
    { title: "DRAINING", value: (limit) => limit.draining },
    { title: "WAITING", value: (limit) => limit.waiting },
    { title: "NEXT AT", value: (limit) => limit.nextPermitAt?.replace(/\.\d+Z$/, "Z") },
  ];
  return showList(call, options, {
    page: (query) => call.client.limits.list({ ...query, key }),
    columns,
    empty: "No limit is in use.",
  });
}
