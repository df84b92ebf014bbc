import type { JsonObject, JsonValue } from "@opspawn/contract";
import {
  Composer,
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type Scalar,
  type YAMLParseError,
} from "yaml";
import { FORBIDDEN_KEYS } from "../forbidden-keys.ts";
import { DOCUMENT_DEPTH_MAX, DOCUMENT_VALUES_MAX, YAML_ALIASES_MAX, YAML_LEXEMES_MAX } from "./limits.ts";
import { TextFailure } from "./text-failure.ts";

const TOO_DEEP = `nested deeper than ${DOCUMENT_DEPTH_MAX} levels`;

/** Lexemes that the library adds; they are not in the text. */
const MARKERS: ReadonlySet<string> = new Set([CST.SCALAR, CST.DOCUMENT, CST.FLOW_END]);

/**
 * Reads YAML 1.2, core schema, as JSON: no tags, no directives, one document, keys that are strings, a few aliases.
 * Duplicate keys are looked for here, since the library compares each key with each other.
 * @throws TextFailure
 */
export function readYaml(text: string): JsonValue {
  return new YamlReader(text).document();
}

class YamlReader {
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #anchors = new Map<string, unknown>();
  #lexemes = 0;
  #flowDepth = 0;
  #aliases = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const tokens = this.#tokens();
    const [, second] = tokens.filter((token) => token.type === "document");
    if (second !== undefined) this.#fail("only one document is allowed", second.offset);
    for (const token of tokens) this.#checkDepth(token);
    const options = { version: "1.2", schema: "core", intAsBigInt: true, uniqueKeys: false, stringKeys: true } as const;
    const composer = new Composer({ ...options, prettyErrors: false, logLevel: "silent" });
    const documents = [...composer.compose(tokens)];
    const [first] = documents;
    const error = first?.errors[0];
    if (error !== undefined) this.#fail(plain(error), error.pos[0]);
    return first === undefined ? null : this.#value(first.contents, 1);
  }

  /** The concrete syntax. What is refused for its form alone is refused here, before the costly part. */
  #tokens(): CST.Token[] {
    const parser = new Parser(this.#lines.addNewLine);
    const tokens: CST.Token[] = [];
    this.#lines.addNewLine(0);
    let offset = 0;
    let scalar = false;
    for (const lexeme of new Lexer().lex(this.#text)) {
      if (scalar) offset += lexeme.length;
      else offset += this.#lexeme(lexeme, offset);
      // A scalar's marker says that the next lexeme is its text, whatever that looks like.
      scalar = !scalar && lexeme === CST.SCALAR;
      for (const token of parser.next(lexeme)) tokens.push(token);
    }
    for (const token of parser.end()) tokens.push(token);
    return tokens;
  }

  /** Checks one lexeme that is no text; says how many characters of the document it stands for. */
  #lexeme(lexeme: string, offset: number): number {
    this.#lexemes += 1;
    if (this.#lexemes > YAML_LEXEMES_MAX) this.#fail(`more than ${YAML_LEXEMES_MAX} parts`, offset);
    if (MARKERS.has(lexeme)) return 0;
    const type = CST.tokenType(lexeme);
    if (type === "tag") this.#fail(`the tag ${lexeme} is not allowed; quote the value instead`, offset);
    if (type === "directive-line") this.#fail("directives are not allowed", offset);
    if (type === "flow-map-start" || type === "flow-seq-start") this.#flowDepth += 1;
    if (type === "flow-map-end" || type === "flow-seq-end") this.#flowDepth -= 1;
    if (this.#flowDepth > DOCUMENT_DEPTH_MAX) this.#fail(TOO_DEEP, offset);
    if (type === "alias") this.#aliases += 1;
    if (this.#aliases > YAML_ALIASES_MAX) this.#fail(`more than ${YAML_ALIASES_MAX} aliases`, offset);
    return lexeme.length;
  }

  /** Without recursion, since the library's own recursion is what a deep document would break. */
  #checkDepth(root: CST.Token): void {
    const open: { token: CST.Token | null | undefined; depth: number }[] = [{ token: root, depth: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { token, depth } = next;
      if (token?.type === "document") open.push({ token: token.value, depth });
      if (!CST.isCollection(token)) continue;
      if (depth >= DOCUMENT_DEPTH_MAX) this.#fail(TOO_DEEP, token.offset);
      for (const item of token.items) {
        open.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 });
      }
    }
  }

  #value(node: unknown, depth: number): JsonValue {
    this.#values += 1;
    if (this.#values > DOCUMENT_VALUES_MAX) this.#fail(`more than ${DOCUMENT_VALUES_MAX} values`, offsetOf(node));
    // Only aliases can still get here: one that contains itself never ends otherwise.
    if (depth > DOCUMENT_DEPTH_MAX) this.#fail(TOO_DEEP, offsetOf(node));
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) this.#fail(`the alias *${node.source} has no anchor before it`, offsetOf(node));
      return this.#value(target, depth + 1);
    }
    if (!isScalar(node) && !isSeq(node) && !isMap(node)) return null;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return node.items.map((item) => this.#value(item, depth + 1));
    const result: JsonObject = {};
    for (const { key, value } of node.items) {
      const name = this.#key(key);
      if (Object.hasOwn(result, name)) this.#fail(`the key ${JSON.stringify(name)} is given twice`, offsetOf(key));
      result[name] = this.#value(value, depth + 1);
    }
    return result;
  }

  #key(node: unknown): string {
    const name = isScalar(node) ? String(node.value) : "";
    if (!isScalar(node)) this.#fail("a key must be a plain string", offsetOf(node));
    if (FORBIDDEN_KEYS.has(name)) this.#fail(`the key "${name}" is not allowed`, offsetOf(node));
    return name;
  }

  #scalar(node: Scalar): JsonValue {
    const { value, source = "" } = node;
    if (typeof value === "bigint") return numberFrom(value.toString());
    if (typeof value !== "number") return value as string | boolean | null;
    if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(source)) return numberFrom(source);
    if (!Number.isFinite(value)) this.#fail(`${source} is no JSON number`, offsetOf(node));
    return value;
  }

  #fail(message: string, offset: number): never {
    const { line, col } = this.#lines.linePos(offset);
    throw new TextFailure(message, { line: Math.max(line, 1), column: Math.max(col, 1) });
  }
}

function offsetOf(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0] ?? 0;
}

/** A number, or the raw JSON of one that would not be written back the same. */
function numberFrom(text: string): JsonValue {
  const number = Number(text);
  return String(number) === text ? number : (JSON.rawJSON(text) as unknown as JsonValue);
}

/** The library's messages, without the upper case and full stops that do not fit inside ours. */
function plain(error: YAMLParseError): string {
  if (error.code === "NON_STRING_KEY") return "a key must be a plain string";
  return error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, "");
}
