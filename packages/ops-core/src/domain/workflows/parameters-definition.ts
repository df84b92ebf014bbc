import { isJsonObject, type JsonValue } from "@opspawn/contract";
import { readTemplate, type Template } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import type { StepContext } from "./step-definition.ts";

const HINT = "must be an object, or one ${{ expression }} that yields an object";

/** Reads `parameters`: an object, or one expression that yields an object; absent, an empty object. */
export function readParameters(
  fields: Fields,
  { issues, allowance }: StepContext,
): { readonly parameters: JsonValue; readonly template: Template } {
  const parameters = shapeOf(fields);
  const template = readTemplate(parameters, fields.at("parameters"), issues, allowance);
  if (template.root.kind === "text") fields.refuse("parameters", "wrong_type", HINT);
  return { parameters, template };
}

function shapeOf(fields: Fields): JsonValue {
  const value = fields.value("parameters");
  if (value === undefined) return {};
  if (isJsonObject(value) || (typeof value === "string" && /^\$\{\{.*\}\}$/s.test(value))) return value;
  fields.refuse("parameters", "wrong_type", HINT);
  return {};
}
