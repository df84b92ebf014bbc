import { excerpt, type Issue, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { issueText, type Loc } from "../issues.ts";
import { validate } from "./schema-validation.ts";

/** How many wrong places the message names. It is kept with the task and in its events, so it stays short. */
const NAMED_MAX = 10;
/** Characters of the message: the keys it names are a stranger's. */
const MESSAGE_MAX = 1_000;

interface Checked {
  readonly code: "input_invalid" | "output_invalid";
  /** Where the value stands, as the definition's author knows it. */
  readonly loc: Loc;
  /** Which value fits which schema: `The result does not fit the step's output schema`. */
  readonly what: string;
}

/**
 * Makes sure that a value fits a schema.
 * @throws OpspawnError with the wrong places: their paths, beginning with `loc`, are in its issues and its message
 */
export function needFit(schema: JsonObject | null, value: JsonValue, { code, loc, what }: Checked): void {
  const found = schema === null ? [] : validate(schema, value);
  if (found.length === 0) return;
  const issues = found.map((issue) => ({ ...issue, loc: [...loc, ...issue.loc] }));
  throw new OpspawnError(code, messageOf(what, issues), { issues });
}

function messageOf(what: string, issues: readonly Issue[]): string {
  const named = issues.slice(0, NAMED_MAX).map(issueText).join("; ");
  const more = issues.length > NAMED_MAX ? `; and ${issues.length - NAMED_MAX} more` : "";
  return excerpt(`${what}: ${named}${more}`, MESSAGE_MAX);
}
