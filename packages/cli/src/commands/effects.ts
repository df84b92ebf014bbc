import { type EffectView, OpspawnError } from "@opspawn/contract";
import type { EffectQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { oneOf } from "../options.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

const STATUSES = ["open", "intended", "done", "failed", "not_done"] as const;

/** `opspawn effects`: what agents announced that they do outside. */
export function addEffects(program: Command, context: Context): void {
  const effects = noun(program, "effects", "List what agents announced, and what came of it.", [
    "effects list --status open",
  ]);
  const list = withPaging(effects.command("list").description("List effects, newest first."))
    .option("--status <status>", "open, intended, done, failed or not_done", oneOf(STATUSES))
    .option("--session <id>", "of this session")
    .option("--task <id>", "of this task, in order")
    .action(context.action(listEffects));
  withExamples(list, ["effects list --status open", "effects list --task TASK"]);

  const get = effects
    .command("get <task> <effect>")
    .alias("show")
    .description("Show an effect of a task, and its receipt.")
    .action(context.action(getEffect));
  withExamples(get, ["effects get TASK charge"]);
}

type ListOptions = PageOptions & Omit<EffectQuery, "limit" | "cursor"> & { readonly task?: string };

function listEffects(call: Call, options: ListOptions): Promise<void> {
  const { status, session, task } = options;
  const now = call.io.clock.now();
  const columns: Column<EffectView>[] = [
    { title: "TASK", value: (effect) => effect.taskId, least: ID_WIDTH },
    { title: "EFFECT", value: (effect) => effect.effectId, least: 8 },
    { title: "STATUS", value: (effect) => effect.status, tone: (effect) => toneOf(effect.status) },
    { title: "AGE", value: (effect) => age(effect.announcedAt, now) },
  ];
  const page = async (query: EffectQuery) => {
    if (task === undefined) return call.client.effects.list({ status, session, ...query });
    const { items } = await call.client.effects.ofTask(task);
    const wanted = status === "open" ? "intended" : status;
    return { items: items.filter((effect) => wanted === undefined || effect.status === wanted), nextCursor: null };
  };
  return showList(call, options, {
    page,
    columns,
    empty: "There are no such effects.",
    hint: "effects get TASK EFFECT",
  });
}

async function getEffect(call: Call, taskId: string, effectId: string): Promise<void> {
  const { items } = await call.client.effects.ofTask(taskId);
  const effect = items.find((each) => each.effectId === effectId);
  if (effect === undefined) throw new OpspawnError("effect_not_found", `Task ${taskId} has no effect ${effectId}.`);
  const now = call.io.clock.now();
  const { receipt } = effect;
  const fields: Field[] = [
    ["Effect", effect.effectId],
    ["Status", effect.status, toneOf(effect.status)],
    ["Task", effect.taskId],
    ["Key", effect.idempotencyKey],
    ["Announced", `${effect.announcedAt} (${age(effect.announcedAt, now)} ago), by attempt ${effect.attempt}`],
  ];
  if (effect.kind !== null) fields.push(["Kind", effect.kind]);
  if (effect.description !== null) fields.push(["Description", effect.description]);
  if (effect.stepId !== null) fields.push(["Step", effect.stepId]);
  if (effect.sessionId !== null) fields.push(["Session", effect.sessionId]);
  if (effect.payloadHash !== null) fields.push(["Payload hash", effect.payloadHash]);
  if (effect.payload !== null) fields.push({ title: "Payload", lines: jsonLines(effect.payload) });
  if (receipt !== null) fields.push(["Told", `${receipt.at}, by ${receipt.by}`]);
  if (receipt !== null && receipt.note !== null) fields.push(["Note", receipt.note]);
  if (receipt !== null && receipt.result !== null) fields.push({ title: "Result", lines: jsonLines(receipt.result) });
  call.output.record(effect, fields);
}
