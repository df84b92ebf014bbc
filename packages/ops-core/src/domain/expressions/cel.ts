import { type ASTNode, TypeError as CelTypeError, Environment, ParseError } from "@marcbachmann/cel-js";
import { ExpressionFailure } from "./failure.ts";
import { EXPRESSION_DEPTH_MAX, EXPRESSION_LENGTH_MAX, EXPRESSION_NODES_MAX } from "./limits.ts";
import { PER_RUN_ROOTS } from "./scope.ts";
import type { Literal, Node } from "./syntax.ts";

/**
 * The one file that knows the CEL library. It gives us the parser and the type checker; evaluation is ours, because the
 * library's has no step count (two nested lists compare in exponential time), converts all data up front, loses numbers
 * beyond 2^53, and runs `matches()` on JavaScript's backtracking regular expressions.
 */
export interface ParsedExpression {
  readonly root: Node;
  /**
   * The type it yields, such as `bool`, `int` or `list`; `dyn` when only the data can tell.
   * @throws ExpressionFailure when the types can never fit. Call it after names and functions are known to exist.
   */
  checkTypes(): string;
}

const never = (): never => {
  throw new Error("Evaluation is not the library's");
};

/** Declares what is ours beyond the library's own functions, for its type checker only. */
function declarations(): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: EXPRESSION_NODES_MAX,
      maxDepth: EXPRESSION_DEPTH_MAX,
      maxListElements: EXPRESSION_NODES_MAX,
      maxMapEntries: EXPRESSION_NODES_MAX,
    },
  });
  for (const name of ["input", "steps", "session", "trigger", ...PER_RUN_ROOTS]) {
    environment.registerVariable(name, "dyn");
  }
  environment.registerFunction("re(string, string): bool", never);
  environment.registerFunction("string.replace(string, string): string", never);
  for (const operator of ["+", "-", "*", "/"]) {
    environment.registerOperator(`int ${operator} double`, never);
    environment.registerOperator(`double ${operator} int`, never);
  }
  return environment;
}

const DECLARATIONS = declarations();

/** @throws ExpressionFailure when the source is too long or no CEL */
export function parseCel(source: string): ParsedExpression {
  if (source.length > EXPRESSION_LENGTH_MAX) {
    throw new ExpressionFailure(`has more than ${EXPRESSION_LENGTH_MAX} characters`, { at: 0 });
  }
  // A clone each time: the library keeps every list and map type it ever met in its environment.
  const { ast, check } = explained(() => DECLARATIONS.clone().parse(source));
  return {
    root: translate(ast),
    checkTypes() {
      const { error, type = "dyn" } = check();
      const failure = failureOf(error);
      if (failure !== undefined) throw failure;
      return type.replace(/<.*/s, "");
    },
  };
}

function explained<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw failureOf(error) ?? error;
  }
}

/**
 * The library's error as ours; undefined when it is none of CEL. Its checker gives up with a plain error where several
 * operators fit (the elements of an empty list): then the types show when the expression is evaluated.
 */
function failureOf(error: unknown): ExpressionFailure | undefined {
  if (!(error instanceof ParseError || error instanceof CelTypeError)) return undefined;
  const hint = error.code === "incompatible_ternary_branches" ? "; wrap one in dyn(...) to mix types" : "";
  return new ExpressionFailure(`${messageOf(error.summary)}${hint}`, { at: error.range?.start ?? 0 });
}

function messageOf(summary: string): string {
  if (summary === "Unexpected token: EOF") return "the expression ends too early";
  if (summary.startsWith("Exceeded maxDepth")) return `nests deeper than ${EXPRESSION_DEPTH_MAX} levels`;
  return summary.startsWith("Exceeded max") ? `has more than ${EXPRESSION_NODES_MAX} parts` : summary;
}

function translate(ast: ASTNode): Node {
  const at = ast.start;
  switch (ast.op) {
    case "value":
      return { kind: "literal", at, value: literal(ast.args, at) };
    case "id":
      return { kind: "name", at, name: ast.args };
    case ".":
      return { kind: "field", at, of: translate(ast.args[0]), field: ast.args[1] };
    case "[]":
      return { kind: "index", at, of: translate(ast.args[0]), key: translate(ast.args[1]) };
    case "call":
      return { kind: "call", at, name: ast.args[0], on: null, args: ast.args[1].map(translate) };
    case "rcall":
      return { kind: "call", at, name: ast.args[0], on: translate(ast.args[1]), args: ast.args[2].map(translate) };
    case "list":
      return { kind: "list", at, items: ast.args.map(translate) };
    case "map":
      return { kind: "map", at, entries: ast.args.map(([key, value]) => [translate(key), translate(value)]) };
    case "?:":
      return {
        kind: "choice",
        at,
        test: translate(ast.args[0]),
        yes: translate(ast.args[1]),
        no: translate(ast.args[2]),
      };
    case "!_":
      return { kind: "not", at, of: translate(ast.args) };
    case "-_":
      return { kind: "minus", at, of: translate(ast.args) };
    case ".?":
    case "[?]":
      throw new ExpressionFailure("optional access is not part of this language; use has(...)", { at });
    default:
      return binary(ast, at);
  }
}

type BinaryNode = Extract<ASTNode, { args: [ASTNode, ASTNode] }>;

function binary(ast: Exclude<BinaryNode, { op: "[]" | "[?]" }>, at: number): Node {
  const left = translate(ast.args[0]);
  const right = translate(ast.args[1]);
  switch (ast.op) {
    case "&&":
    case "||":
      return { kind: "logic", at, operator: ast.op, left, right };
    case "==":
    case "!=":
    case "in":
      return { kind: "equality", at, operator: ast.op, left, right };
    case "<":
    case "<=":
    case ">":
    case ">=":
      return { kind: "comparison", at, operator: ast.op, left, right };
    default:
      return { kind: "arithmetic", at, operator: ast.op, left, right };
  }
}

function literal(value: unknown, at: number): Literal {
  if (typeof value === "string") {
    if (!value.isWellFormed() || value.includes("\0")) {
      throw new ExpressionFailure("a string holds a NUL character or a lone surrogate", { at });
    }
    return value;
  }
  if (typeof value === "bigint" && value > 2n ** 63n)
    throw new ExpressionFailure("the integer does not fit 64 bits", { at });
  if (value === null || typeof value !== "object") return value as Literal;
  throw new ExpressionFailure("bytes and unsigned literals are not part of this language", { at });
}
