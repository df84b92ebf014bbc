import type { WorkflowView } from "@opspawn/contract";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { readText } from "../document.ts";
import { type Field, jsonLines } from "../output/output.ts";
import type { Column } from "../output/table.ts";
import { age } from "../output/time.ts";
import { type PageOptions, type PageQuery, showList, withPaging } from "../paging.ts";

/** `opspawn workflows`: definitions. */
export function addWorkflows(program: Command, context: Context): void {
  const workflows = noun(program, "workflows", "List, show, check and apply definitions.", [
    "workflows validate flow.yaml",
    "workflows apply flow.yaml",
  ]);
  const list = withPaging(workflows.command("list").description("List workflows in their latest version."));
  list.action(context.action((call, options: PageOptions) => listWorkflows(call, options)));
  withExamples(list, ["workflows list"]);

  const get = workflows
    .command("get <workflow>")
    .description("Show a definition.")
    .option("--definition-version <version>", "this version (default: the latest)")
    .action(context.action(showWorkflow));
  withExamples(get, ["workflows get review-article", "workflows get review-article -o yaml"]);

  const versions = withPaging(workflows.command("versions <workflow>").description("List the versions of a workflow."));
  versions.action(context.action((call, id: string, options: PageOptions) => listVersions(call, id, options)));
  withExamples(versions, ["workflows versions review-article"]);

  const apply = workflows
    .command("apply <file>")
    .description("Save a definition (JSON or YAML; - for stdin). A version never changes: give a change a new one.")
    .action(context.action(applyWorkflow));
  withExamples(apply, ["workflows apply flow.yaml"]);

  const validate = workflows
    .command("validate <file>")
    .description("Check a definition whole, without saving it (JSON or YAML; - for stdin).")
    .action(context.action(validateWorkflow));
  withExamples(validate, ["workflows validate flow.yaml"]);
}

function columnsAt(now: number): Column<WorkflowView>[] {
  return [
    { title: "WORKFLOW", value: (workflow) => workflow.id, least: 16 },
    { title: "VERSION", value: (workflow) => workflow.version, least: 8 },
    { title: "NAME", value: (workflow) => workflow.name, least: 8 },
    { title: "STEPS", value: (workflow) => workflow.steps },
    { title: "AGE", value: (workflow) => age(workflow.appliedAt, now) },
  ];
}

function listWorkflows(call: Call, options: PageOptions): Promise<void> {
  const columns = columnsAt(call.io.clock.now());
  const page = (query: PageQuery) => call.client.workflows.list(query);
  const [empty, remedy] = ["There are no workflows.", "workflows apply flow.yaml"];
  return showList(call, options, { page, columns, empty, remedy });
}

function listVersions(call: Call, id: string, options: PageOptions): Promise<void> {
  const columns = columnsAt(call.io.clock.now());
  const page = (query: PageQuery) => call.client.workflows.versions(id, query);
  return showList(call, options, { page, columns, empty: "It has no versions." });
}

async function showWorkflow(call: Call, id: string, options: { definitionVersion?: string }): Promise<void> {
  const workflow = await call.client.workflows.get(id, { version: options.definitionVersion });
  const fields: Field[] = [
    ["Workflow", workflow.id],
    ["Version", workflow.version],
    ["Name", workflow.name],
    ["Steps", workflow.steps],
    ["Applied", workflow.appliedAt],
  ];
  if (workflow.description !== null) fields.push(["Description", workflow.description]);
  fields.push({ title: "Definition", lines: jsonLines(workflow.definition) });
  call.output.record(workflow, fields);
}

interface Warning {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

function sayWarnings(call: Call, warnings: readonly Warning[]): void {
  for (const { loc, msg } of warnings) call.say(`Warning: ${loc.join(".")}: ${msg}`);
}

async function applyWorkflow(call: Call, file: string): Promise<void> {
  const applied = await call.client.workflows.apply(await readText(call.io, file));
  sayWarnings(call, applied.warnings);
  const { id, version, steps } = applied.workflow;
  const what = `${id} ${version} (${steps} ${steps === 1 ? "step" : "steps"})`;
  call.output.done(applied, applied.created ? `Applied ${what}.` : `Nothing to do: ${what} is applied already.`);
}

async function validateWorkflow(call: Call, file: string): Promise<void> {
  const checked = await call.client.workflows.validate(await readText(call.io, file));
  sayWarnings(call, checked.warnings);
  call.output.done(checked, `${file} is valid.`);
}
