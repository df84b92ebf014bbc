import { isJsonObject, type ToolView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { readInput } from "../document.ts";
import { usageError } from "../failure.ts";
import { whole } from "../options.ts";
import type { Column } from "../output/table.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

interface RegisterOptions {
  readonly endpoint: string;
  readonly description?: string;
  readonly parameters?: string;
  readonly maxConcurrency?: number;
}

/** `opspawn tools`: what agents may call. */
export function addTools(program: Command, context: Context): void {
  const tools = noun(program, "tools", "List, register and remove external HTTP tools.", [
    "tools list",
    "tools register slack.post --endpoint https://tools.example/slack",
  ]);
  const list = withPaging(tools.command("list").description("List tools, by name."));
  list.action(context.action(listTools));
  withExamples(list, ["tools list"]);

  const register = tools
    .command("register <name>")
    .description("Register an external HTTP tool.")
    .requiredOption("--endpoint <url>", "where calls are sent to")
    .option("--description <text>", "what it does")
    .option("--parameters <json>", "JSON Schema of its parameters, or @file")
    .option("--max-concurrency <n>", "calls of workflows at once (default: 10)", whole(1, 1000))
    .action(context.action(registerTool));
  withExamples(register, ["tools register slack.post --endpoint https://tools.example/slack"]);

  const remove = tools
    .command("remove <name>")
    .description("Remove an external tool.")
    .action(
      context.action(async (call, name: string) => {
        const removed = await call.client.tools.remove(name);
        call.output.done(removed, `Tool ${removed.name} is removed.`);
      }),
    );
  withExamples(remove, ["tools remove slack.post"]);
}

function listTools(call: Call, options: PageOptions): Promise<void> {
  const columns: Column<ToolView>[] = [
    { title: "TOOL", value: (tool) => tool.name, least: 16 },
    { title: "TYPE", value: (tool) => tool.type },
    { title: "CALLS", value: (tool) => tool.maxConcurrency },
    { title: "ENDPOINT", value: (tool) => tool.endpoint, least: 16 },
    { title: "DESCRIPTION", value: (tool) => tool.description, least: 11 },
  ];
  return showList(call, options, {
    page: (query) => call.client.tools.list(query),
    columns,
    empty: "There are no tools.",
  });
}

async function registerTool(call: Call, name: string, options: RegisterOptions): Promise<void> {
  const { endpoint, description, maxConcurrency } = options;
  const parameters =
    options.parameters === undefined ? {} : await readInput(call.io, options.parameters, "--parameters");
  if (!isJsonObject(parameters)) throw usageError("--parameters must be a JSON object.");
  const tool = await call.client.tools.register({ name, endpoint, description, parameters, maxConcurrency });
  call.output.done(tool, `Tool ${tool.name} is registered.`);
}
