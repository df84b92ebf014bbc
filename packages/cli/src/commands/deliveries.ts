import type { DeliveryView } from "@opspawn/contract";
import type { DeliveryQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import type { Field } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

/** `opspawn deliveries`: outgoing messages and webhooks. */
export function addDeliveries(program: Command, context: Context): void {
  const deliveries = noun(program, "deliveries", "List and show outgoing messages and webhooks.", [
    "deliveries list --status failed",
  ]);
  const list = withPaging(deliveries.command("list").description("List deliveries, newest first."))
    .option("--status <status>", "pending, delivered or failed")
    .option("--agent <id>", "to this agent")
    .option("--session <id>", "of this session")
    .action(context.action(listDeliveries));
  withExamples(list, ["deliveries list --status pending", "deliveries list --session SESSION"]);

  const get = deliveries
    .command("get <delivery>")
    .description("Show a delivery.")
    .action(context.action(async (call, id: string) => showDelivery(call, await call.client.deliveries.get(id))));
  withExamples(get, ["deliveries get DELIVERY"]);
}

function listDeliveries(call: Call, options: PageOptions & Omit<DeliveryQuery, "limit" | "cursor">): Promise<void> {
  const { status, agent, session } = options;
  const columns: Column<DeliveryView>[] = [
    { title: "DELIVERY", value: (delivery) => delivery.deliveryId, least: ID_WIDTH },
    { title: "KIND", value: (delivery) => delivery.kind },
    { title: "STATUS", value: (delivery) => delivery.status, tone: (delivery) => toneOf(delivery.status) },
    { title: "TRIES", value: (delivery) => delivery.attempts },
    { title: "URL", value: (delivery) => delivery.url, least: 10 },
  ];
  const page = (query: DeliveryQuery) => call.client.deliveries.list({ status, agent, session, ...query });
  return showList(call, options, { page, columns, empty: "There are no such deliveries." });
}

function showDelivery(call: Call, delivery: DeliveryView): void {
  const fields: Field[] = [
    ["Delivery", delivery.deliveryId],
    ["Kind", delivery.kind],
    ["Status", delivery.status, toneOf(delivery.status)],
    ["URL", delivery.url],
    ["Tries", delivery.attempts],
    ["Created", delivery.createdAt],
  ];
  if (delivery.nextAttemptAt !== null) fields.push(["Next try", delivery.nextAttemptAt]);
  if (delivery.endedAt !== null) fields.push(["Ended", delivery.endedAt]);
  if (delivery.lastError !== null) fields.push(["Last error", delivery.lastError]);
  if (delivery.blocked !== null) fields.push(["Waits for", delivery.blocked.message]);
  if (delivery.agentId !== null) fields.push(["Agent", delivery.agentId]);
  if (delivery.sessionId !== null) fields.push(["Session", delivery.sessionId]);
  call.output.record(delivery, fields);
}
