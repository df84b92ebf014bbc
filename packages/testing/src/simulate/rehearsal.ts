import type { Issue } from "@opspawn/contract";
import type { PlanStep, WorkflowPlan } from "@opspawn/ops-core/testing";
import { type Members, missingIn } from "../definition.ts";
import { readArrivals } from "./arrivals.ts";
import { type BadEnd, Simulation, type SimulationInput } from "./simulation.ts";
import { type SimulationSpec, wrong } from "./spec.ts";

/**
 * Makes sure that a description goes with its workflow: whoever is needed is there, whoever is waited for comes, and one
 * session in which nothing goes wrong finds everything its expressions ask for.
 * @throws OpspawnError `invalid_request` with every wrong place
 */
export async function rehearse(input: SimulationInput): Promise<void> {
  const { spec, plan, others } = input;
  const issues = [plan, ...others.map((other) => other.plan)].flatMap((each) => [
    ...needIssues(each, spec),
    ...each.steps.flatMap((step) => peopleIssues(step, spec)),
  ]);
  if (issues.length > 0) throw wrong(issues);
  const { badEnds } = await Simulation.run({
    ...input,
    spec: undisturbed(spec),
    sessions: 1,
    arrivals: readArrivals("at-once") ?? input.arrivals,
  });
  const [bad] = badEnds.filter(({ code }) => code === "expression_failed" || code.endsWith("_invalid"));
  if (bad !== undefined) throw wrong([fieldIssue(bad, plan, spec)]);
}

/** Where a field is to be given that an expression asked for in vain. */
function fieldIssue({ step, code, message }: BadEnd, plan: WorkflowPlan, spec: SimulationSpec): Issue {
  const read = /\bsteps\.([\w-]+)\.results?\b/.exec(message)?.[1];
  const source = plan.steps.find(({ id }) => id === (read ?? step));
  const where = step === null ? "the session" : `step \`${step}\``;
  const msg = `where nothing goes wrong, ${where} still fails: ${message}`;
  if (source === undefined || (read === undefined && code === "expression_failed")) {
    return { loc: ["input"], msg, type: code };
  }
  const hint = read === undefined ? "" : `. Give step \`${read}\` a result that has it`;
  return { loc: [...locOf(source, spec), "results", source.id], msg: msg + hint, type: code };
}

function locOf({ target, tool }: PlanStep, { agents }: SimulationSpec): Issue["loc"] {
  if (tool !== null) return ["tools", tool];
  const index = agents.findIndex(({ name, capabilities }) => {
    if (target?.kind === "capability") return capabilities.includes(target.capability);
    return target?.kind === "agentName" && (target.agentName === name || target.agentName.startsWith(`${name}-`));
  });
  return ["agents", Math.max(index, 0)];
}

function needIssues(plan: WorkflowPlan, { agents, tools }: SimulationSpec): Issue[] {
  const members: Members = {
    agents: agents.flatMap(({ name, count, capabilities }) =>
      Array.from({ length: count }, (_, i) => ({ name: count === 1 ? name : `${name}-${i + 1}`, capabilities })),
    ),
    tools: Object.keys(tools),
  };
  return missingIn(plan, members).map(({ stepId, what, name }) => {
    const msg = `no ${what === "tool" ? "tool is" : "agent has the"} ${what} \`${name}\`, which step \`${stepId}\` needs`;
    return {
      loc: [what === "tool" ? "tools" : "agents"],
      msg: what === "agent" ? agentMsg(stepId, name) : msg,
      type: "missing",
    };
  });
}

function agentMsg(stepId: string, name: string): string {
  return `no agent is called \`${name}\`, which step \`${stepId}\` names`;
}

/** Whoever is waited for without an end must come. */
function peopleIssues({ id, approval, wait }: PlanStep, { approvals, signals }: SimulationSpec): Issue[] {
  if (
    approval !== null &&
    approval.timeout === null &&
    approvals[id] === undefined &&
    approvals.default === undefined
  ) {
    const msg = `nobody decides step \`${id}\`; describe it: approvals: { ${id}: { after: { p50: 10m, p95: 2h } } }`;
    return [{ loc: ["approvals"], msg, type: "missing" }];
  }
  if (wait?.kind !== "signal" || wait.timeout !== null || signals[wait.signal] !== undefined) return [];
  const msg = `nobody sends \`${wait.signal}\`, which step \`${id}\` waits for; describe it: signals: { ${wait.signal}: { after: 5m } }`;
  return [{ loc: ["signals"], msg, type: "missing" }];
}

/** The same agents, and nothing goes wrong or takes time. */
function undisturbed(spec: SimulationSpec): SimulationSpec {
  const well = { latency: "0s", errors: 0, permanentErrors: 0, silence: 0, fails: undefined };
  const approvals = Object.entries(spec.approvals).map(([name, each]) => [name, { ...each, never: 0, approve: 1 }]);
  return {
    ...spec,
    agents: spec.agents.map((agent) => ({ ...agent, ...well, count: agent.count })),
    tools: Object.fromEntries(Object.entries(spec.tools).map(([name, tool]) => [name, { ...tool, ...well }])),
    approvals: Object.fromEntries(approvals) as SimulationSpec["approvals"],
    faults: { lostAnswers: 0, duplicates: 0 },
  };
}
