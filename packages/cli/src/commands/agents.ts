import { type AgentView, isJsonObject, type JsonObject } from "@opspawn/contract";
import type { AgentQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { readInput } from "../document.ts";
import { usageError } from "../failure.ts";
import { collect, duration, whole } from "../options.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

interface RegisterOptions {
  readonly endpoint?: string;
  readonly pull?: true;
  readonly capability?: string[];
  readonly maxConcurrency?: number;
  readonly heartbeat?: true;
  readonly timeout?: string;
  readonly silenceTimeout?: string;
  readonly probe?: string;
  readonly agentVersion?: string;
  readonly metadata?: string;
}

/** `opspawn agents`: what does the tasks. */
export function addAgents(program: Command, context: Context): void {
  const agents = noun(program, "agents", "List, show, register and remove what does the tasks.", [
    "agents list --capability web.fetch",
    "agents register fetcher --endpoint http://127.0.0.1:9001/tasks",
  ]);
  const list = withPaging(agents.command("list").description("List agents, by name."))
    .option("--capability <name>", "that can do this")
    .option("--state <state>", "that reported this state")
    .option("--health <health>", "ready, suspect, unresponsive, offline or quarantined")
    .action(context.action(listAgents));
  withExamples(list, [
    "agents list",
    "agents list --capability web.fetch --state idle",
    "agents list --health quarantined",
  ]);

  const get = agents
    .command("get <agent>")
    .description("Show all that is known of an agent.")
    .action(context.action(async (call, id: string) => showAgent(call, await call.client.agents.get(id))));
  withExamples(get, ["agents get AGENT"]);

  const states = withPaging(agents.command("states <agent>").description("List an agent's reports, newest first."));
  states.action(context.action(listStates));
  withExamples(states, ["agents states AGENT --limit 10"]);

  const remove = agents
    .command("remove <agent>")
    .description("Deregister an agent; its open tasks go to another one that can do them.")
    .action(
      context.action(async (call, id: string) => {
        const removed = await call.client.agents.remove(id);
        call.output.done(removed, `Agent ${removed.agentId} is gone; ${removed.reassigned} tasks go to others.`);
      }),
    );
  withExamples(remove, ["agents remove AGENT"]);
  addQuarantine(agents, context);
  addRegister(agents, context);
}

function addQuarantine(agents: Command, context: Context): void {
  const quarantine = agents
    .command("quarantine <agent>")
    .description("Give an agent no work until it is readmitted.")
    .option("--reason <text>", "why")
    .action(
      context.action(async (call, id: string, { reason = null }: { reason?: string | null }) => {
        const agent = await call.client.agents.quarantine(id, reason);
        call.output.done(agent, `Agent ${agent.agentId} gets no work until it is readmitted.`);
      }),
    );
  withExamples(quarantine, ['agents quarantine AGENT --reason "wrong answers"']);

  const readmit = agents
    .command("readmit <agent>")
    .description("End an agent's quarantine and forget its failures.")
    .action(
      context.action(async (call, id: string) => {
        const agent = await call.client.agents.readmit(id);
        call.output.done(agent, `Agent ${agent.agentId} may get work again; it is ${agent.health}.`);
      }),
    );
  withExamples(readmit, ["agents readmit AGENT"]);
}

function addRegister(agents: Command, context: Context): void {
  const register = agents
    .command("register <name>")
    .description("Register an agent and print its own key, which is shown only now.")
    .option("--endpoint <url>", "where tasks are sent to")
    .option("--pull", "it asks for tasks instead, and needs no endpoint")
    .option("--capability <name>", "what it can do (repeatable)", collect)
    .option("--max-concurrency <n>", "tasks at once (default: 1)", whole(1, 1000))
    .option("--heartbeat", "it renews its lease; 10 s of silence give its work away")
    .option("--timeout <time>", "longest attempt, where a step names none", duration)
    .option("--silence-timeout <time>", "longest time without progress, where a step names none", duration)
    .option("--probe <json>", "parameters of a task that shows that it works, or @file")
    .option("--agent-version <version>", "its version (default: 1.0)")
    .option("--metadata <json>", "more about it: a JSON object, or @file")
    .action(context.action(registerAgent));
  withExamples(register, [
    "agents register fetcher --endpoint http://127.0.0.1:9001/tasks \\\n      --capability web.fetch",
    "agents register worker --pull --max-concurrency 4",
  ]);
}

type ListFilter = Pick<AgentQuery, "capability" | "state" | "health">;

function listAgents(call: Call, options: PageOptions & ListFilter): Promise<void> {
  const { capability, state, health } = options;
  const columns: Column<AgentView>[] = [
    { title: "AGENT", value: (agent) => agent.agentId, least: ID_WIDTH },
    { title: "NAME", value: (agent) => agent.agentName, least: 8 },
    { title: "STATE", value: (agent) => agent.state, least: 6, tone: (agent) => toneOf(agent.state) },
    { title: "HEALTH", value: (agent) => agent.health, tone: (agent) => toneOf(agent.health) },
    { title: "SLOTS", value: slotText },
  ];
  const page = (query: AgentQuery) => call.client.agents.list({ capability, state, health, ...query });
  const remedy = "agents register NAME --endpoint URL";
  return showList(call, options, { page, columns, empty: "There are no such agents.", remedy });
}

function slotText(agent: AgentView): string {
  return `${agent.slots.held}/${agent.slots.total}`;
}

function listStates(call: Call, agentId: string, options: PageOptions): Promise<void> {
  return showList(call, options, {
    page: (query) => call.client.agents.states(agentId, query),
    columns: [
      { title: "RECEIVED", value: (report) => report.receivedAt },
      { title: "STATE", value: (report) => report.state, least: 8, tone: (report) => toneOf(report.state) },
      { title: "DETAILS", value: (report) => JSON.stringify(report.details), least: 10 },
    ],
    empty: "The agent has reported nothing yet.",
  });
}

function agentFields(call: Call, agent: AgentView): Field[] {
  const reported = agent.stateReportedAt === null ? "" : ` (${age(agent.stateReportedAt, call.io.clock.now())} ago)`;
  const fields: Field[] = [
    ["Agent", agent.agentId],
    ["Name", `${agent.agentName} ${agent.version}`],
    ["State", agent.state + reported, toneOf(agent.state)],
    ["Health", `${agent.health} since ${agent.healthSince}`, toneOf(agent.health)],
    ...(agent.healthEvidence === null ? [] : [["Because", agent.healthEvidence.message] as const]),
    ["Slots", `${slotText(agent)} held${agent.slots.draining > 0 ? `, ${agent.slots.draining} draining` : ""}`],
    ["Capabilities", agent.capabilities.join(", ") || "none"],
    ["Channel", agent.channel === "pull" ? "pull: it asks for tasks" : `push to ${agent.contactEndpoint ?? "nowhere"}`],
    ["Registered", agent.registeredAt],
  ];
  if (agent.blocked !== null) fields.push(["Takes nothing", agent.blocked.message]);
  if (agent.stateDetails !== null) fields.push({ title: "State details", lines: jsonLines(agent.stateDetails) });
  if (agent.metadata !== null) fields.push({ title: "Metadata", lines: jsonLines(agent.metadata) });
  return fields;
}

function showAgent(call: Call, agent: AgentView): void {
  call.output.record(agent, agentFields(call, agent));
}

async function registerAgent(call: Call, name: string, options: RegisterOptions): Promise<void> {
  if (options.pull === undefined && options.endpoint === undefined) {
    throw usageError("An agent needs --endpoint URL, or --pull.", "With --pull it asks for its tasks (SDK: work).");
  }
  const registered = await call.client.agents.register({
    agentName: name,
    channel: options.pull ? "pull" : "push",
    contactEndpoint: options.endpoint ?? null,
    capabilities: options.capability,
    maxConcurrency: options.maxConcurrency,
    heartbeat: options.heartbeat,
    timeout: options.timeout,
    silenceTimeout: options.silenceTimeout,
    probe: options.probe === undefined ? undefined : { parameters: await readObject(call, options.probe, "--probe") },
    version: options.agentVersion,
    metadata: options.metadata === undefined ? null : await readObject(call, options.metadata, "--metadata"),
  });
  call.output.record(registered, [...agentFields(call, registered.agent), ["Key", registered.agentKey]]);
  call.say("The key speaks for this agent alone. Keep it now; it is not shown again.");
}

async function readObject(call: Call, text: string, option: string): Promise<JsonObject> {
  const value = await readInput(call.io, text, option);
  if (!isJsonObject(value)) throw usageError(`${option} must be a JSON object.`);
  return value;
}
