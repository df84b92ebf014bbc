import type { JsonObject } from "@opspawn/contract";
import { FORBIDDEN_KEYS } from "../forbidden-keys.ts";
import { suggestion } from "../suggestion.ts";
import type { Allowance } from "./allowance.ts";
import { parseCel } from "./cel.ts";
import { ExpressionFailure } from "./failure.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { FUNCTIONS, METHODS } from "./functions.ts";
import { absorb, bool, compileBind, compileHas, compileMacro, MACROS } from "./macros.ts";
import { Names } from "./names.ts";
import { arithmetic, compare, contains, equal, negate } from "./operators.ts";
import { compilePattern, search } from "./pattern.ts";
import type { Evaluate, Reference } from "./scope.ts";
import { index, select } from "./selection.ts";
import type { Node } from "./syntax.ts";
import { toJson, typeName } from "./values.ts";

/** A compiled expression: closures, ready to run any number of times. */
export interface Expression {
  readonly source: string;
  /** What it yields, as far as that shows without data: `bool`, `int`, `list`, ...; else `dyn`. */
  readonly type: string;
  readonly references: readonly Reference[];
  readonly evaluate: Evaluate;
}

/** @throws ExpressionFailure naming what is wrong and where in the source */
export function compileExpression(source: string, allowance: Allowance): Expression {
  allowance.takeExpression();
  const parsed = parseCel(source);
  const names = new Names(allowance);
  const evaluate = compile(parsed.root, names);
  // Last, because its complaints about unknown names and functions are less helpful than ours.
  const type = parsed.checkTypes();
  return { source, type, references: names.references, evaluate };
}

type Of<K extends Node["kind"]> = Extract<Node, { kind: K }>;

function compile(node: Node, names: Names): Evaluate {
  switch (node.kind) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "name":
      return names.name(node);
    case "field":
    case "index":
      return names.path(node) ?? compileAccess(node, names);
    case "call":
      return compileCall(node, names);
    case "list":
      return compileList(node, names);
    case "map":
      return compileMap(node, names);
    case "choice":
      return compileChoice(node, names);
    case "logic":
      return compileLogic(node, names);
    case "not":
    case "minus":
      return compileUnary(node, names);
    default:
      return compileBinary(node, names);
  }
}

function compileAccess(node: Of<"field"> | Of<"index">, names: Names): Evaluate {
  const of = compile(node.of, names);
  if (node.kind === "field") {
    const { field } = node;
    return (frame) => {
      frame.budget.spend(1);
      return select(of(frame), field);
    };
  }
  const key = compile(node.key, names);
  return (frame) => {
    frame.budget.spend(1);
    return index(of(frame), key(frame));
  };
}

function compileCall(node: Of<"call">, names: Names): Evaluate {
  const { name, on, args, at } = node;
  if (name === "matches") {
    throw new ExpressionFailure("matches() is not available: write re(text, pattern), which cannot run away", { at });
  }
  if (on === null) {
    if (name === "has" && args.length === 1) return compileHas(node, names, compile);
    if (name === "re") return compileRe(node, names);
    return compileFunction(node, FUNCTIONS, args, names);
  }
  if (name === "bind" && on.kind === "name" && on.name === "cel") return compileBind(node, names, compile);
  const arity = MACROS.get(name);
  if (arity === undefined) return compileFunction(node, METHODS, [on, ...args], names);
  if (!arity.includes(args.length)) throw new ExpressionFailure(wrongCount(name, arity, args.length), { at });
  return compileMacro(node, on, names, compile);
}

function compileFunction(
  node: Of<"call">,
  known: ReadonlyMap<string, FunctionSpec>,
  operands: readonly Node[],
  names: Names,
): Evaluate {
  const { name, on, args, at } = node;
  const spec = known.get(name);
  if (spec === undefined) {
    const all = on === null ? ["has", "re", ...known.keys()] : [...MACROS.keys(), ...known.keys()];
    throw new ExpressionFailure(`unknown ${on === null ? "function" : "method"} ${name}()${suggestion(name, all)}`, {
      at,
    });
  }
  if (!spec.arity.includes(args.length)) throw new ExpressionFailure(wrongCount(name, spec.arity, args.length), { at });
  const evaluated = operands.map((operand) => compile(operand, names));
  return (frame) => {
    frame.budget.spend(1);
    return spec.run(
      evaluated.map((operand) => operand(frame)),
      frame.budget,
    );
  };
}

function wrongCount(name: string, arity: readonly number[], given: number): string {
  return `${name}() takes ${arity.join(" or ")} argument${arity.at(-1) === 1 ? "" : "s"}, not ${given}`;
}

/** The pattern must be a literal: then it is compiled once, and a bad one is refused before anything runs. */
function compileRe(node: Of<"call">, names: Names): Evaluate {
  const [text, source] = node.args;
  if (node.args.length !== 2 || text === undefined || source?.kind !== "literal" || typeof source.value !== "string") {
    throw new ExpressionFailure('re() takes a text and a pattern in quotes, as in re(input.url, "^https:")', {
      at: node.at,
    });
  }
  const of = compile(text, names);
  names.allowance.takePattern(node.at);
  const pattern = compilePattern(source.value);
  return (frame) => {
    const value = of(frame);
    if (typeof value !== "string") throw new ExpressionFailure(`re() needs a string, not ${typeName(value)}`);
    return search(pattern, value, frame.budget);
  };
}

function compileList(node: Of<"list">, names: Names): Evaluate {
  const items = node.items.map((item) => compile(item, names));
  return (frame) => {
    frame.budget.spend(1 + items.length);
    return items.map((item) => toJson(item(frame)));
  };
}

function compileMap(node: Of<"map">, names: Names): Evaluate {
  const entries = node.entries.map(([key, value]) => [compile(key, names), compile(value, names)] as const);
  return (frame) => {
    frame.budget.spend(1 + entries.length);
    const result: JsonObject = {};
    for (const [key, value] of entries) result[keyOf(key(frame))] = toJson(value(frame));
    return result;
  };
}

function keyOf(key: unknown): string {
  if (typeof key !== "string") throw new ExpressionFailure("the keys of a map must be strings");
  if (FORBIDDEN_KEYS.has(key)) throw new ExpressionFailure(`the key "${key}" is not allowed`);
  return key;
}

function compileChoice(node: Of<"choice">, names: Names): Evaluate {
  const test = compile(node.test, names);
  const yes = compile(node.yes, names);
  const no = compile(node.no, names);
  return (frame) => {
    frame.budget.spend(1);
    return bool(test(frame), "the condition before ?") ? yes(frame) : no(frame);
  };
}

/** `&&` and `||`: in CEL either side may decide, so a failure on the left counts only if the right does not. */
function compileLogic(node: Of<"logic">, names: Names): Evaluate {
  const left = compile(node.left, names);
  const right = compile(node.right, names);
  const decisive = node.operator === "||";
  const what = `each side of ${node.operator}`;
  return (frame) => {
    frame.budget.spend(1);
    let first: boolean;
    try {
      first = bool(left(frame), what);
    } catch (error) {
      absorb(error, frame.budget);
      if (bool(right(frame), what) === decisive) return decisive;
      throw error;
    }
    return first === decisive ? decisive : bool(right(frame), what);
  };
}

function compileUnary(node: Of<"not" | "minus">, names: Names): Evaluate {
  const of = compile(node.of, names);
  if (node.kind === "minus") {
    return (frame) => {
      frame.budget.spend(1);
      return negate(of(frame));
    };
  }
  return (frame) => {
    frame.budget.spend(1);
    return !bool(of(frame), "what follows !");
  };
}

function compileBinary(node: Of<"equality" | "comparison" | "arithmetic">, names: Names): Evaluate {
  const left = compile(node.left, names);
  const right = compile(node.right, names);
  if (node.kind === "arithmetic") {
    const { operator } = node;
    return (frame) => {
      frame.budget.spend(1);
      return arithmetic(operator, left(frame), right(frame), frame.budget);
    };
  }
  if (node.kind === "comparison") {
    const { operator } = node;
    return (frame) => {
      frame.budget.spend(1);
      return compare(operator, left(frame), right(frame), frame.budget);
    };
  }
  const { operator } = node;
  return (frame) => {
    frame.budget.spend(1);
    const a = left(frame);
    const b = right(frame);
    if (operator === "in") return contains(a, b, frame.budget);
    return equal(a, b, frame.budget) === (operator === "==");
  };
}
