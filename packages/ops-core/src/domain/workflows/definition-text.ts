import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import { asDefinition, checkDocument, invalidDefinition } from "./document-check.ts";
import { readJson } from "./json-text.ts";
import { DEFINITION_BYTES_MAX } from "./limits.ts";
import { TextFailure } from "./text-failure.ts";
import { readYaml } from "./yaml-text.ts";

export type DefinitionFormat = "json" | "yaml" | "auto";

/**
 * Reads a workflow definition from text.
 * @param format `auto` takes text that begins with `{` or `[` for JSON, anything else for YAML
 * @throws OpspawnError `workflow_invalid`; a mistake of syntax is named with its line and column
 */
export function parseDefinition(text: string, format: DefinitionFormat): JsonObject {
  if (Buffer.byteLength(text) > DEFINITION_BYTES_MAX) {
    throw invalidDefinition("too_large", `the definition is larger than ${DEFINITION_BYTES_MAX} bytes`);
  }
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const json = format === "json" || (format === "auto" && /^\s*[{[]/.test(body));
  const document = read(body, json);
  if (!isJsonObject(document)) {
    throw invalidDefinition("wrong_type", "a workflow definition is an object with `id`, `name` and `tasks`");
  }
  checkDocument(document);
  return document;
}

function read(text: string, json: boolean): JsonValue {
  try {
    return json ? asDefinition(() => readJson(text)) : readYaml(text);
  } catch (error) {
    if (!(error instanceof TextFailure)) throw error;
    const place = `line ${error.line}, column ${error.column}`;
    throw invalidDefinition(json ? "json_invalid" : "yaml_invalid", `${place}: ${error.message}`);
  }
}
