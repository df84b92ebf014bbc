import type { JsonObject } from "@opspawn/contract";
import { type PlanStep, readDefinition, type WorkflowPlan } from "@opspawn/ops-core/testing";

/** Who can do steps. */
export interface Members {
  readonly agents: readonly { readonly name: string; readonly capabilities: readonly string[] }[];
  readonly tools: readonly string[];
}

/** Reads a workflow as the server does. @throws OpspawnError `workflow_invalid` with every wrong place */
export function definitionOf(workflow: JsonObject | string): { document: JsonObject; plan: WorkflowPlan } {
  const { document, plan } = readDefinition(workflow, []);
  return { document, plan };
}

/** What a step needs and nobody here has. */
export interface Missing {
  readonly stepId: string;
  readonly what: "capability" | "agent" | "tool";
  readonly name: string;
}

/** All that the steps of a plan need and nobody has. */
export function missingIn(plan: WorkflowPlan, members: Members): Missing[] {
  return plan.steps.flatMap((step) => needsOf(step).filter((need) => !isThere(need, members)));
}

/** Which needs are not met, and what to do; null when all are. */
export function missingFor(plan: WorkflowPlan, members: Members): string | null {
  const [first] = missingIn(plan, members);
  if (first === undefined) return null;
  const { stepId, what, name } = first;
  if (what === "tool") {
    const known = members.tools.map((tool) => `\`${tool}\``).join(", ") || "none";
    return `Step \`${stepId}\` calls the tool \`${name}\`, which is not registered. Registered: ${known}. Add platform.tool(${JSON.stringify(name)}, ...).`;
  }
  const known = members.agents.map((each) => `${each.name} (${each.capabilities.join(", ")})`).join(", ") || "nobody";
  const hint =
    what === "agent"
      ? `platform.agent(${JSON.stringify(name)}, ...)`
      : `platform.agent("...", { capabilities: [${JSON.stringify(name)}] })`;
  const wanted = what === "agent" ? `There is no agent \`${name}\`` : `Nobody serves capability \`${name}\``;
  return `${wanted}, which step \`${stepId}\` asks for. Registered: ${known}. Add ${hint}, or run with { allowMissing: true }.`;
}

/** All that a step may need somebody for. */
export function needsOf(step: PlanStep): Missing[] {
  const stepId = step.id;
  const needs: Missing[] = [];
  for (const target of [step.target, step.fallback, step.compensation?.target ?? null]) {
    if (target?.kind === "capability") needs.push({ stepId, what: "capability", name: target.capability });
    if (target?.kind === "agentName") needs.push({ stepId, what: "agent", name: target.agentName });
  }
  for (const tool of [step.tool, step.compensation?.tool ?? null]) {
    if (tool !== null) needs.push({ stepId, what: "tool", name: tool });
  }
  return needs;
}

function isThere({ what, name }: Missing, { agents, tools }: Members): boolean {
  if (what === "tool") return tools.includes(name);
  return agents.some((agent) => (what === "agent" ? agent.name === name : agent.capabilities.includes(name)));
}
