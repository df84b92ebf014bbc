import type { JsonObject } from "@opspawn/contract";
import { hasExpression } from "../expressions/segments.ts";
import { readTemplate } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import {
  APPROVAL_TIMEOUT_MAX,
  APPROVAL_TIMEOUT_MIN,
  APPROVER_LENGTH_MAX,
  APPROVERS_MAX,
  REMIND_EVERY_MAX,
  REMIND_EVERY_MIN,
} from "./limits.ts";
import { readReserve } from "./reserve.ts";
import type { StepContext } from "./step-definition.ts";
import { needTimeout } from "./wait-definition.ts";
import { NOTHING, type Work } from "./work.ts";

const FIELDS = ["message", "details", "timeout", "onTimeout", "onReject", "remindEvery", "approvers"];
const RANGE = { min: APPROVAL_TIMEOUT_MIN, max: APPROVAL_TIMEOUT_MAX };
const REMINDER_RANGE = { min: REMIND_EVERY_MIN, max: REMIND_EVERY_MAX };

/** Reads `approval`: what a person is asked, for how long, and what a no or no answer means. */
export function readApproval(step: Fields, { issues, allowance }: StepContext): Work {
  const fields = step.inside("approval", '{ message: "Publish?" }');
  if (fields === undefined) return NOTHING;
  fields.closed(FIELDS);
  if (fields.value("message") === undefined) fields.refuse("message", "missing", "is required: what is to be approved");
  const message = fields.id("message", Number.POSITIVE_INFINITY) ?? "";
  const details = fields.value("details");
  const parameters: JsonObject = details === undefined ? { message } : { message, details };
  const rejects = fields.value("onTimeout") === "reject";
  needTimeout(fields);
  return {
    ...NOTHING,
    approval: {
      timeout: fields.duration("timeout", RANGE) ?? null,
      onTimeout: rejects ? "reject" : "fail",
      remindEvery: fields.duration("remindEvery", REMINDER_RANGE) ?? null,
      approvers: readApprovers(fields),
    },
    parameters,
    parametersAt: ["approval"],
    template: readTemplate(parameters, fields.loc, issues, allowance),
    reserveNames: [
      ...readReserve(fields, "onReject", "rejected"),
      ...(rejects ? [] : readReserve(fields, "onTimeout", "expired")),
    ],
  };
}

/** Names of keys, as they are written: who may decide must not be for the input to say. */
export function readApprovers(fields: Fields): readonly string[] | null {
  const names = fields.names("approvers");
  if (names === undefined) return null;
  if (names.length === 0) fields.refuse("approvers", "empty", "must name at least one key; leave it out for any");
  if (names.length > APPROVERS_MAX) fields.refuse("approvers", "too_long", `must have at most ${APPROVERS_MAX} names`);
  for (const [at, name] of names.entries()) {
    const problem = nameProblem(name);
    if (problem !== null) fields.issues.add(fields.at("approvers", at), ...problem);
  }
  return names;
}

function nameProblem(name: string): [type: string, msg: string] | null {
  if (name === "") return ["empty", "must not be empty"];
  if (name.length > APPROVER_LENGTH_MAX) return ["too_long", `must have at most ${APPROVER_LENGTH_MAX} characters`];
  if (hasExpression(name)) return ["expression_invalid", "is a name as it stands; it cannot hold an expression"];
  return null;
}
