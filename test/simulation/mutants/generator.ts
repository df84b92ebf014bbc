import { stripTypeScriptTypes } from "node:module";
import { type AnyNode, type Expression, parse, type Statement } from "acorn";
import type { Edit } from "./edit.ts";
import { conjunctsOf } from "./sql-conjuncts.ts";

/** What is taken away: an early exit, the condition of a deed, an operand of a condition, a condition of a statement. */
export type Kind = "guard" | "condition" | "operand" | "conjunct";

/** A predicate of a source and how to do without it. */
export interface GeneratedMutant {
  /** File, function, kind, text and ordinal; the same wherever the predicate stands in the file. */
  readonly id: string;
  readonly file: string;
  readonly edits: readonly Edit[];
  /** Where the predicate is and which value of it makes a difference; none for what the database evaluates. */
  readonly probe?: { readonly start: number; readonly end: number; readonly differs: boolean };
}

interface Found extends Omit<GeneratedMutant, "id" | "file"> {
  readonly kind: Kind;
  readonly text: string;
}

/** One mutant for each predicate of a source, in the order of their places. */
export function generate(file: string, source: string): GeneratedMutant[] {
  // Types become blanks, so that a place in what is parsed is the same place in the source.
  const program = parse(stripTypeScriptTypes(source), { ecmaVersion: "latest", sourceType: "module" });
  const counts = new Map<string, number>();
  return [...walk(program, "module", source)].map(({ name, found: { kind, text, ...rest } }) => {
    const plain = `${file} ${name} ${kind}: ${text.replaceAll(/\s+/g, " ")}`;
    const count = (counts.get(plain) ?? 0) + 1;
    counts.set(plain, count);
    return { id: count === 1 ? plain : `${plain} (${count})`, file, ...rest };
  });
}

interface Named {
  /** The function, or the constant outside of one. */
  readonly name: string;
  readonly found: Found;
}

function* walk(node: AnyNode, name: string, source: string): Generator<Named> {
  for (const found of mutantsAt(node, source)) yield { name, found };
  const own = nameOf(node);
  const inner = own === undefined ? name : [...(name === "module" ? [] : [name]), own].join(".");
  for (const child of childrenOf(node)) yield* walk(child, inner, source);
}

/** Functions, methods and classes have names of their own; of variables only those outside of functions. */
function nameOf(node: AnyNode): string | undefined {
  switch (node.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return node.id?.name;
    case "MethodDefinition":
    case "PropertyDefinition":
      return "name" in node.key ? String(node.key.name) : undefined;
    case "VariableDeclarator":
      return node.id.type === "Identifier" ? node.id.name : undefined;
    case "Property":
      return node.key.type === "Identifier" && node.value.type === "ArrowFunctionExpression"
        ? node.key.name
        : undefined;
    default:
      return undefined;
  }
}

function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof value === "object" && value !== null && "type" in value);
}

function* mutantsAt(node: AnyNode, source: string): Generator<Found> {
  if (node.type === "IfStatement") yield ofIf(node, source);
  if (node.type === "LogicalExpression" && node.operator !== "??") {
    if (node.left.type !== "LogicalExpression" || node.left.operator !== node.operator) {
      yield ofOperand(node.left, node.operator, source);
    }
    yield ofOperand(node.right, node.operator, source);
  }
  if (node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node.value === "string")) {
    yield* ofStatement(node.start, node.end, source);
  }
}

/** An early exit goes; whatever else depends on the condition is done always. */
function ofIf(
  { start, end, test, consequent, alternate }: Extract<AnyNode, { type: "IfStatement" }>,
  source: string,
): Found {
  const text = source.slice(test.start, test.end);
  const range = { start: test.start, end: test.end };
  if (alternate == null && exits(consequent)) {
    return { kind: "guard", text, edits: [{ start, end, text: "{}" }], probe: { ...range, differs: true } };
  }
  return { kind: "condition", text, edits: [{ ...range, text: "true" }], probe: { ...range, differs: false } };
}

function exits(statement: Statement | undefined): boolean {
  switch (statement?.type) {
    case "ReturnStatement":
    case "ThrowStatement":
    case "ContinueStatement":
    case "BreakStatement":
      return true;
    case "BlockStatement":
      return exits(statement.body.at(-1));
    default:
      return false;
  }
}

function ofOperand({ start, end }: Expression, operator: "&&" | "||", source: string): Found {
  const isAnd = operator === "&&";
  return {
    kind: "operand",
    text: `${operator} ${source.slice(start, end)}`,
    edits: [{ start, end, text: String(isAnd) }],
    probe: { start, end, differs: !isAnd },
  };
}

/** How a statement begins, or a part of one that is put together elsewhere. */
const STATEMENT = /^\s*(select|insert|update|delete|from|where)\b|^\$\{\w+\} and /;

/** Parameters stay where they are: a condition is made true, not cut. */
function* ofStatement(start: number, end: number, source: string): Generator<Found> {
  const text = source.slice(start + 1, end - 1);
  if (!STATEMENT.test(text)) return;
  for (const range of conjunctsOf(text)) {
    const condition = text.slice(range.start, range.end);
    const at = { start: start + 1 + range.start, end: start + 1 + range.end };
    yield { kind: "conjunct", text: condition, edits: [{ ...at, text: `((${condition}) or true)` }] };
  }
}
