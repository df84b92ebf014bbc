import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { isJsonObject, type JsonObject, type JsonValue, OpspawnError, parseJson } from "@opspawn/contract";
import { parseDocument } from "yaml";
import { usageError } from "./failure.ts";
import type { Io } from "./io.ts";

// More anchors than a definition ever needs, and far fewer than a small file can unfold into all memory with.
const MAX_ALIASES = 100;

/** The text of a file, from where the caller stands; `-` is stdin. */
export async function readText(io: Io, path: string): Promise<string> {
  if (path === "-") return io.readStdin();
  try {
    return readFileSync(resolve(io.settings.folder, path), "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = code === "ENOENT" ? "there is no such file" : String(error instanceof Error ? error.message : error);
    throw usageError(`Cannot read ${path}: ${reason}.`);
  }
}

/** A workflow definition from a JSON or YAML file, for a request that takes it as an object. */
export async function readDefinition(io: Io, path: string): Promise<JsonObject> {
  const value = parseText(await readText(io, path), path);
  if (!isJsonObject(value)) throw usageError(`${path} is no workflow definition: it must be an object at its root.`);
  return value;
}

/** The value of an option: JSON, `@file` (JSON or YAML), or `-` for stdin. */
export async function readInput(io: Io, text: string, option = "--input"): Promise<JsonValue> {
  if (text === "-") return parseText(await io.readStdin(), "stdin");
  if (text.startsWith("@")) return parseText(await readText(io, text.slice(1)), text.slice(1));
  try {
    return parseJson(text);
  } catch (error) {
    throw usageError(
      `${option} is no JSON: ${reasonOf(error)}`,
      `For the content of a file write ${option} @file.json`,
    );
  }
}

/** Reads JSON by a `.json` name or a leading brace, else YAML, which short JSON is too. */
function parseText(text: string, path: string): JsonValue {
  try {
    if (extname(path) === ".json" || /^\s*[{[]/.test(text)) return parseJson(text);
    return parseYaml(text);
  } catch (error) {
    throw usageError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

function parseYaml(text: string): JsonValue {
  const document = parseDocument(text, { schema: "core", intAsBigInt: true, logLevel: "silent" });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  return fromYaml(document.toJS({ maxAliasCount: MAX_ALIASES }));
}

function fromYaml(value: unknown): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") {
    // A large id must not lose its last digits on the way.
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : (JSON.rawJSON(String(value)) as unknown as JsonValue);
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`JSON has no number ${value}.`);
  if (Array.isArray(value)) return value.map(fromYaml);
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fromYaml(each)]));
  }
  return value as string | number | boolean;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // The contract's reader speaks of request bodies.
  const isSyntax = error instanceof OpspawnError && error.code === "json_invalid";
  return (isSyntax ? message.replace(/^The body is not valid JSON: /, "") : message).trim();
}
