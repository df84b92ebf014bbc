import { checkJson, type JsonLimits, type JsonValue, OpspawnError, stringifyJson } from "@opspawn/contract";
import { issueText } from "../issues.ts";
import { DEFINITION_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_MAX, DOCUMENT_VALUES_MAX } from "./limits.ts";

export const DEFINITION_LIMITS: JsonLimits = {
  maxBytes: DEFINITION_BYTES_MAX,
  maxDepth: DOCUMENT_DEPTH_MAX,
  maxKeys: DOCUMENT_VALUES_MAX,
  maxStringBytes: DEFINITION_BYTES_MAX,
};

/**
 * What every stored definition must satisfy, wherever it came from: bounded depth and size, no prototype keys, and only
 * text that both databases hold.
 * @throws OpspawnError `workflow_invalid` with the first place that does not
 */
export function checkDocument(document: JsonValue): void {
  asDefinition(() => checkJson(document, DEFINITION_LIMITS));
  if (stringifyJson(document).length <= DOCUMENT_SIZE_MAX) return;
  throw invalidDefinition("too_large", `the definition is larger than ${DOCUMENT_SIZE_MAX} characters`);
}

export function invalidDefinition(type: string, msg: string): OpspawnError {
  return new OpspawnError("workflow_invalid", msg, { issues: [{ loc: [], msg, type }] });
}

/** Runs a check of JSON and makes its error one about a definition: its own code, paths from the document's root. */
export function asDefinition<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof OpspawnError)) throw error;
    const given = error.issues ?? [{ loc: [], msg: error.message, type: error.code }];
    const issues = given.map((issue) => ({ ...issue, loc: issue.loc[0] === "body" ? issue.loc.slice(1) : issue.loc }));
    const [first] = issues;
    throw new OpspawnError("workflow_invalid", first === undefined ? error.message : issueText(first), { issues });
  }
}
