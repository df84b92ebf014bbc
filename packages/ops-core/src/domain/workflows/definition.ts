import { type Issue, type JsonObject, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { Loc } from "../issues.ts";
import { compileWorkflow } from "./compile.ts";
import { parseDefinition } from "./definition-text.ts";
import { definitionHash } from "./difference.ts";
import type { WorkflowPlan } from "./plan.ts";
import type { Mode } from "./step-definition.ts";

/** A definition of a request, checked whole. */
export interface Definition {
  readonly document: JsonObject;
  /** Its JSON text, as it is stored. */
  readonly text: string;
  readonly hash: string;
  readonly plan: WorkflowPlan;
  readonly warnings: readonly Issue[];
}

/**
 * Reads a definition given as an object, or as JSON or YAML text.
 * @param loc where it stands in the request; the issues' paths begin with it
 * @throws OpspawnError `workflow_invalid`
 */
export function readDefinition(given: JsonObject | string, loc: Loc, mode: Mode = "strict"): Definition {
  try {
    const document = typeof given === "string" ? parseDefinition(given, "auto") : given;
    const { plan, warnings } = compileWorkflow(document, { mode });
    const text = stringifyJson(document);
    return { document, text, hash: definitionHash(document), plan, warnings: warnings.map((issue) => at(loc, issue)) };
  } catch (error) {
    if (!(error instanceof OpspawnError) || error.code !== "workflow_invalid") throw error;
    const issues = (error.issues ?? []).map((issue) => at(loc, issue));
    throw new OpspawnError(error.code, error.message, { issues, cause: error });
  }
}

function at(loc: Loc, issue: Issue): Issue {
  return { ...issue, loc: [...loc, ...issue.loc] };
}
