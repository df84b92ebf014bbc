import { type OneExpression, readExpression, type Wanted } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import type { StepContext } from "./step-definition.ts";

const CONDITION: Wanted = { type: "bool", what: "true or false" };

/** Reads a condition: CEL, bare or as exactly one `${{ }}`, or true or false themselves. */
export function readCondition(
  fields: Fields,
  name: string,
  { issues, allowance }: StepContext,
): OneExpression | undefined {
  const value = fields.value(name);
  if (value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "boolean") {
    return fields.refuse(name, "wrong_type", "must be an expression that yields true or false");
  }
  if (value === "") return fields.refuse(name, "empty", "must not be empty");
  return readExpression(String(value), fields.at(name), issues, { allowance, wanted: CONDITION });
}
