import { isJsonObject, type JsonObject, type JsonValue, jsonNumber } from "@opspawn/contract";
import { parseDocument } from "yaml";
import { suggestion } from "./domain/suggestion.ts";
import { TOOL_CONCURRENCY } from "./domain/tools/tool.ts";

const FILE_BYTES_MAX = 262_144;
const ALIASES_MAX = 100;
const SECTIONS = ["server", "tools"];
/** Sections of the documentation that this version does not know yet. */
const LATER = ["agents", "mcpServers"];
const TOOL_FIELDS = ["name", "description", "parameters", "endpoint", "maxConcurrency"];
const TOOL_CONCURRENCY_MAX = 1_000;

/** A tool that an operator registers by configuration. */
export interface ConfiguredTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: JsonObject;
  readonly endpoint: string;
  readonly maxConcurrency: number;
}

/** `opspawn.yaml`, read but not yet judged: settings are still text. */
export interface ConfigFile {
  readonly server: ReadonlyMap<string, string>;
  readonly tools: readonly ConfiguredTool[];
}

/** Collects what is wrong; each complaint says what to do. */
export type Complain = (problem: string) => void;

export const NO_FILE: ConfigFile = { server: new Map(), tools: [] };

/**
 * Reads `opspawn.yaml`.
 * @param known the keys that may stand under `server:`
 */
export function readConfigFile(text: string, known: readonly string[], complain: Complain): ConfigFile {
  const document = readYaml(text, complain);
  if (document === null) return NO_FILE;
  for (const section of Object.keys(document)) {
    if (LATER.includes(section)) complain(`\`${section}\` is not supported by this version yet. Remove it.`);
    else if (!SECTIONS.includes(section)) {
      complain(`\`${section}\` is no section, there are ${SECTIONS.join(" and ")}${suggestion(section, SECTIONS)}`);
    }
  }
  return { server: readServer(document.server, known, complain), tools: readTools(document.tools, complain) };
}

function readYaml(text: string, complain: Complain): JsonObject | null {
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    complain(`The file is larger than ${FILE_BYTES_MAX} bytes.`);
    return null;
  }
  try {
    const document = parseDocument(text, { schema: "core", uniqueKeys: true });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value = document.toJS({ maxAliasCount: ALIASES_MAX }) as JsonValue;
    if (value === null || value === undefined) return {};
    if (isJsonObject(value)) return value;
    complain(`The file must hold the sections ${SECTIONS.join(" and ")}.`);
  } catch (error) {
    complain(`The file is no valid YAML: ${error instanceof Error ? error.message.split("\n", 1)[0] : ""}`);
  }
  return null;
}

function readServer(value: JsonValue | undefined, known: readonly string[], complain: Complain): Map<string, string> {
  const found = new Map<string, string>();
  if (value === undefined || value === null) return found;
  if (!isJsonObject(value)) {
    complain("`server` must hold settings, such as `port: 8000`.");
    return found;
  }
  for (const [key, setting] of Object.entries(value)) {
    const text = textOf(setting);
    if (!known.includes(key)) {
      complain(`\`server.${key}\` is no setting of this file${suggestion(key, known)}`);
    } else if (text === null) complain(`\`server.${key}\` must be a text, a number or a list of texts.`);
    else found.set(key, text);
  }
  return found;
}

function textOf(value: JsonValue): string | null {
  if (Array.isArray(value)) {
    const parts = value.map(textOf);
    return parts.includes(null) ? null : parts.join(",");
  }
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  return value === null ? "" : null;
}

function readTools(value: JsonValue | undefined, complain: Complain): ConfiguredTool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    complain("`tools` must be a list of tools, each with a name and an endpoint.");
    return [];
  }
  return value.flatMap((entry, at) => readTool(entry, `tools[${at}]`, complain) ?? []);
}

function readTool(entry: JsonValue, where: string, complain: Complain): ConfiguredTool | undefined {
  if (!isJsonObject(entry)) {
    complain(`\`${where}\` must be an object with a name and an endpoint.`);
    return undefined;
  }
  const { name, endpoint, description = "", parameters = {} } = entry;
  const strange = Object.keys(entry).filter((key) => !TOOL_FIELDS.includes(key));
  for (const key of strange) complain(`\`${where}.${key}\` is no field of a tool${suggestion(key, TOOL_FIELDS)}`);
  const isNamed = typeof name === "string" && name !== "" && name.length <= 200;
  if (!isNamed) complain(`\`${where}.name\` must be a text of 1 to 200 characters.`);
  if (typeof endpoint !== "string" || !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    complain(`\`${where}.endpoint\` must be an http or https URL.`);
    return undefined;
  }
  if (typeof description !== "string" || !isJsonObject(parameters)) {
    complain(`\`${where}\`: description must be a text, and parameters a JSON Schema.`);
    return undefined;
  }
  const maxConcurrency = readConcurrency(entry.maxConcurrency, where, complain);
  return isNamed ? { name, description, parameters, endpoint: new URL(endpoint).href, maxConcurrency } : undefined;
}

function readConcurrency(value: JsonValue | undefined, where: string, complain: Complain): number {
  if (value === undefined || value === null) return TOOL_CONCURRENCY;
  const calls = jsonNumber(value);
  if (calls !== undefined && Number.isInteger(calls) && calls >= 1 && calls <= TOOL_CONCURRENCY_MAX) return calls;
  complain(`\`${where}.maxConcurrency\` must be a whole number from 1 to ${TOOL_CONCURRENCY_MAX}.`);
  return TOOL_CONCURRENCY;
}
