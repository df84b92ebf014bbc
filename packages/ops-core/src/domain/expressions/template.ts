import { excerpt, type Issue, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { Issues, issueText, type Loc } from "../issues.ts";
import { Allowance } from "./allowance.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { ExpressionFailure } from "./failure.ts";
import { toText } from "./functions.ts";
import { RESULT_DEPTH_MAX } from "./limits.ts";
import { type ExpressionScope, Frame, type Reference } from "./scope.ts";
import { hasExpression, MIXED, onlySource, segmentsOf } from "./segments.ts";
import { ResultSize } from "./size.ts";
import { isList, isMap, toJson, type Value } from "./values.ts";

/** A name that a template reads, and the place (inside the template) of the expression that reads it. */
export type TemplateReference = Reference & { readonly loc: Loc };

/** A JSON value with `${{ }}` in some of its strings, compiled once. */
export interface Template {
  /** No expression anywhere: resolving gives the very value that was compiled. */
  readonly constant: boolean;
  readonly references: readonly TemplateReference[];
  readonly root: TemplateNode;
}

interface ExpressionNode {
  readonly kind: "expression";
  readonly expression: Expression;
  readonly loc: Loc;
}

type TemplateNode =
  | { readonly kind: "constant"; readonly value: JsonValue }
  | ExpressionNode
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[]; readonly loc: Loc }
  | { readonly kind: "list"; readonly items: readonly TemplateNode[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [key: string, node: TemplateNode])[] };

/**
 * Compiles every `${{ }}` of a value.
 * @throws OpspawnError `workflow_invalid` with an issue per bad expression, at its path inside the value
 */
export function compileTemplate(value: JsonValue): Template {
  const issues = new Issues();
  const template = readTemplate(value, [], issues);
  if (issues.empty) return template;
  throw new OpspawnError("workflow_invalid", issues.summary, { issues: issues.list });
}

/** As `compileTemplate`, but adds the issues to a list, their paths beginning with `at`. */
export function readTemplate(value: JsonValue, at: Loc, issues: Issues, allowance = new Allowance()): Template {
  const reader = new TemplateReader(at, issues, allowance);
  const root = reader.read(value, []);
  return { constant: root.kind === "constant", references: reader.references, root };
}

/** A place that holds one expression, and its source without the `${{ }}` it may be written in. */
export interface OneExpression {
  readonly source: string;
  readonly template: Template;
}

/** What an expression must yield: the type's name in CEL, and what people are told. */
export interface Wanted {
  readonly type: "bool" | "list";
  readonly what: string;
}

/**
 * Compiles a text that is one expression as a whole, bare or as exactly one `${{ }}`; adds the issues to a list, at `at`.
 * @returns undefined when it is none, or is sure to yield something else than is wanted
 */
export function readExpression(
  text: string,
  at: Loc,
  issues: Issues,
  options: { readonly allowance?: Allowance; readonly wanted?: Wanted } = {},
): OneExpression | undefined {
  const reader = new TemplateReader(at, issues, options.allowance ?? new Allowance());
  const root = reader.only(text, options.wanted);
  if (root === undefined) return undefined;
  return { source: root.expression.source, template: { constant: false, references: reader.references, root } };
}

/** Compiles the source of an expression. It was accepted before, so a mistake in it is a defect. */
export function compileSource(source: string): Template {
  const issues = new Issues();
  const read = readExpression(source, [], issues);
  if (read !== undefined) return read.template;
  throw new OpspawnError("workflow_invalid", issues.summary, { issues: issues.list });
}

class TemplateReader {
  readonly references: TemplateReference[] = [];
  readonly #at: Loc;
  readonly #issues: Issues;
  readonly #allowance: Allowance;

  constructor(at: Loc, issues: Issues, allowance: Allowance) {
    this.#at = at;
    this.#issues = issues;
    this.#allowance = allowance;
  }

  read(value: JsonValue, loc: Loc): TemplateNode {
    if (typeof value === "string") return hasExpression(value) ? this.#string(value, loc) : { kind: "constant", value };
    if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return { kind: "constant", value };
    if (loc.length >= RESULT_DEPTH_MAX) {
      this.#refuse(loc, `nests deeper than ${RESULT_DEPTH_MAX} levels`);
      return { kind: "constant", value };
    }
    return Array.isArray(value) ? this.#list(value, loc) : this.#object(value, loc);
  }

  /** A text that is one expression as a whole. */
  only(text: string, wanted: Wanted | undefined): ExpressionNode | undefined {
    let source: string | undefined;
    try {
      source = onlySource(text);
      const expression = this.#expression(source, []);
      if (wanted !== undefined && ![wanted.type, "dyn"].includes(expression.type)) {
        throw new ExpressionFailure(`must yield ${wanted.what}, not ${expression.type}`);
      }
      return { kind: "expression", expression, loc: [] };
    } catch (error) {
      const mixed = source === undefined ? false : source === text.trim() && hasExpression(source);
      const msg = messageOf(error, source);
      this.#refuse([], mixed ? MIXED : msg);
      return undefined;
    }
  }

  #list(value: JsonValue[], loc: Loc): TemplateNode {
    const items = value.map((item, position) => this.read(item, [...loc, position]));
    return items.every((item) => item.kind === "constant") ? { kind: "constant", value } : { kind: "list", items };
  }

  #object(value: JsonObject, loc: Loc): TemplateNode {
    const entries = Object.entries(value).map(([key, member]) => {
      const at = [...loc, key];
      if (hasExpression(key)) this.#refuse(at, "a key cannot hold an expression; only values are evaluated");
      return [key, this.read(member, at)] as const;
    });
    const constant = entries.every(([, node]) => node.kind === "constant");
    return constant ? { kind: "constant", value } : { kind: "object", entries };
  }

  #string(text: string, loc: Loc): TemplateNode {
    let source: string | undefined;
    try {
      const parts = segmentsOf(text).map((segment) => {
        if ("text" in segment) return segment.text;
        source = segment.source;
        return this.#expression(source, loc);
      });
      const [only] = parts;
      if (parts.length === 1 && typeof only === "object") return { kind: "expression", expression: only, loc };
      return { kind: "text", parts, loc };
    } catch (error) {
      this.#refuse(loc, messageOf(error, source));
      return { kind: "constant", value: text };
    }
  }

  #expression(source: string, loc: Loc): Expression {
    const expression = compileExpression(source, this.#allowance);
    for (const reference of expression.references) this.references.push({ ...reference, loc });
    return expression;
  }

  #refuse(loc: Loc, msg: string): void {
    this.#issues.add([...this.#at, ...loc], "expression_invalid", msg);
  }
}

/** Sources longer than this are shortened in messages. */
const QUOTED_LENGTH_MAX = 120;

/** The message of a failure with the expression it is about. Anything that is no failure of an expression is thrown on. */
function messageOf(error: unknown, source: string | undefined): string {
  if (!(error instanceof ExpressionFailure)) throw error;
  if (source === undefined) return error.message + error.hint();
  const trimmed = source.trim();
  const quoted = excerpt(trimmed, QUOTED_LENGTH_MAX);
  const leading = source.length - source.trimStart().length;
  const column = error.at === undefined ? "" : `, column ${Math.max(error.at - leading, 0) + 1}`;
  return `${error.message}${error.hint()} (in \${{ ${quoted} }}${column})`;
}

/**
 * Evaluates a template in one pass: what an expression yields is data and is never looked at for expressions again.
 * @param at the path of the template's value, which error paths begin with
 * @throws OpspawnError `expression_failed` with the path of the expression that failed
 */
export function resolveTemplate(template: Template, scope: ExpressionScope, at: Loc = []): JsonValue {
  if (template.root.kind === "constant") return template.root.value;
  return new Resolution(scope, at).resolve(template.root, at.length);
}

class Resolution {
  readonly #frame: Frame;
  readonly #size = new ResultSize();
  readonly #at: Loc;

  constructor(scope: ExpressionScope, at: Loc) {
    this.#frame = new Frame(scope);
    this.#at = at;
  }

  resolve(node: TemplateNode, depth: number): JsonValue {
    switch (node.kind) {
      case "constant":
        return node.value;
      case "expression":
        return this.#value(node.expression, node.loc, depth);
      case "text":
        return node.parts.map((part) => (typeof part === "string" ? part : this.#text(part, node.loc))).join("");
      case "list":
        return node.items.map((item) => this.resolve(item, depth + 1));
      case "object":
        return Object.fromEntries(node.entries.map(([key, member]) => [key, this.resolve(member, depth + 1)]));
    }
  }

  #value(expression: Expression, loc: Loc, depth: number): JsonValue {
    return this.#attempt(expression, loc, () => {
      const value = expression.evaluate(this.#frame);
      return this.#measured(value, depth);
    });
  }

  #text(expression: Expression, loc: Loc): string {
    return this.#attempt(expression, loc, () => {
      const value = expression.evaluate(this.#frame);
      const json = this.#measured(value, 0);
      return value === null || isList(value) || isMap(value) ? JSON.stringify(json) : toText(value);
    });
  }

  #measured(value: Value, depth: number): JsonValue {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new ExpressionFailure(`yields ${value}, which JSON cannot hold`);
    }
    const json = toJson(value);
    this.#size.add(json, depth);
    return json;
  }

  #attempt<T>(expression: Expression, loc: Loc, run: () => T): T {
    try {
      return run();
    } catch (error) {
      const msg = messageOf(error, expression.source);
      const issue: Issue = { loc: [...this.#at, ...loc], msg, type: "expression_failed" };
      throw new OpspawnError("expression_failed", issueText(issue), { issues: [issue] });
    }
  }
}
