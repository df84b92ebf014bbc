import type { EventView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, withExamples } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { whole } from "../options.ts";
import type { Column } from "../output/table.ts";

interface EventOptions {
  readonly stream?: string;
  readonly agent?: string;
  readonly type?: string;
  readonly after?: number;
  readonly limit?: number;
  readonly follow?: true;
}

/** `opspawn events`: facts that were committed. */
export function addEvents(program: Command, context: Context): void {
  const command = program
    .command("events")
    .description("List what happened, oldest first.")
    .option("--stream <id>", "of this session, stand-alone task or agent")
    .option("--agent <id>", "of this agent, and of the attempts it was given")
    .option("--type <start>", "of types that begin like this, such as task.")
    .option("--after <n>", "after this position (with --stream: this sequence)", whole(0, Number.MAX_SAFE_INTEGER))
    .option("--limit <n>", "events on a page (default: 50, at most 200)", whole(1, 200))
    .option("-f, --follow", "go on with events as they happen, until Ctrl-C")
    .action(context.action(showEvents));
  withExamples(command, ["events --stream SESSION", "events --follow --type attempt.failed -o jsonl"]);
}

async function showEvents(call: Call, options: EventOptions): Promise<ExitCode> {
  const { stream, agent, type, after, limit } = options;
  if (options.follow) return followEvents(call, options);
  const page = await call.client.events.list({ stream, agent, type, after, limit });
  const { format } = call.output;
  if (format === "jsonl") for (const event of page.items) call.output.data(event);
  else if (format !== "table") call.output.data(page);
  else if (page.items.length === 0) call.say("There are no such events.");
  else call.output.lines(call.output.table(page.items, columnsOf(stream !== undefined)));
  if (page.items.length > 0 && format !== "json" && format !== "yaml") call.say(`Go on: add --after ${page.next}`);
  return EXIT.ok;
}

/** Columns of the longest type that is not rare. */
const TYPE_WIDTH = 20;

function columnsOf(isOneStream: boolean, typeWidth = 0): Column<EventView>[] {
  return [
    { title: isOneStream ? "SEQ" : "POS", value: (event) => (isOneStream ? event.sequence : event.position) },
    { title: "TIME", value: (event) => event.at.slice(11, 23) },
    { title: "TYPE", value: (event) => event.type.padEnd(typeWidth), least: 12 },
    ...(isOneStream ? [] : [{ title: "STREAM", value: (event: EventView) => event.stream, least: 12 }]),
    { title: "DATA", value: (event) => JSON.stringify(event.data), least: 12 },
  ];
}

async function followEvents(call: Call, { stream, agent, type, after }: EventOptions): Promise<ExitCode> {
  const signal = call.io.interrupt();
  const [onRetry, onReset] = [call.sayingOfOutage(), call.sayingOfReset()];
  const events = call.client.events.follow({ stream, agent, type, after, signal, onRetry, onReset });
  for await (const { cursor: _, ...event } of events) {
    if (call.output.eachData(event)) continue;
    // Each line is a table of its own: nobody knows how wide the next one will be.
    const [, line = ""] = call.output.table([event], columnsOf(stream !== undefined, TYPE_WIDTH));
    call.output.lines([line]);
  }
  return EXIT.ok;
}
