import type { JsonObject } from "@opspawn/contract";
import { readTemplate } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import { APPROVAL_TIMEOUT_MAX, APPROVAL_TIMEOUT_MIN } from "./limits.ts";
import { readReserve } from "./reserve.ts";
import type { StepContext } from "./step-definition.ts";
import { needTimeout } from "./wait-definition.ts";
import { NOTHING, type Work } from "./work.ts";

const FIELDS = ["message", "details", "timeout", "onTimeout", "onReject"];
const RANGE = { min: APPROVAL_TIMEOUT_MIN, max: APPROVAL_TIMEOUT_MAX };

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
    approval: { timeout: fields.duration("timeout", RANGE) ?? null, onTimeout: rejects ? "reject" : "fail" },
    parameters,
    parametersAt: ["approval"],
    template: readTemplate(parameters, fields.loc, issues, allowance),
    reserveNames: [
      ...readReserve(fields, "onReject", "rejected"),
      ...(rejects ? [] : readReserve(fields, "onTimeout", "expired")),
    ],
  };
}
