import type { JsonValue } from "@opspawn/contract";
import type { Budget } from "./budget.ts";
import { ExpressionFailure } from "./failure.ts";
import type { Names } from "./names.ts";
import type { Evaluate, Frame } from "./scope.ts";
import { has } from "./selection.ts";
import type { Node } from "./syntax.ts";
import { fromJson, membersOf, toJson, typeName, type Value } from "./values.ts";

type Compile = (node: Node, names: Names) => Evaluate;
type Call = Extract<Node, { kind: "call" }>;

/** Methods that bind a variable: `list.name(x, ...)`, with the counts of arguments they take. */
export const MACROS: ReadonlyMap<string, readonly number[]> = new Map([
  ["all", [2]],
  ["exists", [2]],
  ["exists_one", [2]],
  ["filter", [2]],
  ["map", [2, 3]],
]);

/** A condition's value. */
export function bool(value: Value, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ExpressionFailure(`${what} must be a bool, not ${typeName(value)}`);
}

/** Making and catching a failure takes about as long as this many steps. */
const FAILURE_COST = 50;

/** CEL lets the other side of `||` and `&&` outweigh a failure. A hit limit, and what is no failure, is thrown on. */
export function absorb(error: unknown, budget: Budget): void {
  if (!(error instanceof ExpressionFailure) || error.limit) throw error;
  budget.spend(FAILURE_COST);
}

/** `has(value.name)`. */
export function compileHas(node: Call, names: Names, compile: Compile): Evaluate {
  const [argument] = node.args;
  if (argument?.kind !== "field")
    throw new ExpressionFailure("has() asks for a field, as in has(input.url)", { at: node.at });
  if (names.path(argument) !== undefined) {
    throw new ExpressionFailure("this field always exists; compare it with null instead", { at: argument.at });
  }
  const of = compile(argument.of, names);
  const { field } = argument;
  return (frame) => {
    frame.budget.spend(1);
    return has(of(frame), field);
  };
}

/** `cel.bind(name, value, body)`. */
export function compileBind(node: Call, names: Names, compile: Compile): Evaluate {
  const [variable, value, body] = node.args;
  if (node.args.length !== 3 || value === undefined || body === undefined) {
    throw new ExpressionFailure("cel.bind() takes a name, a value and an expression", { at: node.at });
  }
  const bound = compile(value, names);
  return names.within(variable, (slot) => {
    const evaluate = compile(body, names);
    return (frame) => {
      frame.budget.spend(1);
      frame.locals[slot] = bound(frame);
      return evaluate(frame);
    };
  });
}

/** `all exists exists_one filter map`. */
export function compileMacro(node: Call, on: Node, names: Names, compile: Compile): Evaluate {
  const range = compile(on, names);
  return names.within(node.args[0], (slot) => {
    const [first, second] = node.args.slice(1).map((argument) => compile(argument, names));
    const loop: Loop = { range, slot, name: node.name };
    if (first === undefined) throw new ExpressionFailure(`${node.name}() needs an expression`, { at: node.at });
    if (node.name === "all") return quantifier(loop, first, false);
    if (node.name === "exists") return quantifier(loop, first, true);
    if (node.name === "exists_one") return exactlyOne(loop, first);
    if (node.name === "filter") return collect(loop, first, (frame) => frame.locals[slot] ?? null);
    return second === undefined ? collect(loop, undefined, first) : collect(loop, first, second);
  });
}

interface Loop {
  readonly range: Evaluate;
  readonly slot: number;
  readonly name: string;
}

/** Runs `each` per member until it returns false; every turn costs a step. */
function run(loop: Loop, frame: Frame, each: () => boolean): void {
  const range = loop.range(frame);
  const members = membersOf(range);
  if (members === undefined)
    throw new ExpressionFailure(`${loop.name}() needs a list or a map, not ${typeName(range)}`);
  for (const member of members) {
    frame.budget.spend(1);
    frame.locals[loop.slot] = fromJson(member);
    if (!each()) return;
  }
}

function test(loop: Loop, condition: Evaluate, frame: Frame): boolean {
  return bool(condition(frame), `the condition of ${loop.name}()`);
}

/** `all` and `exists`: one member with the decisive answer outweighs failures of others. */
function quantifier(loop: Loop, condition: Evaluate, decisive: boolean): Evaluate {
  return (frame) => {
    let decided = false;
    let failure: unknown;
    run(loop, frame, () => {
      try {
        decided = test(loop, condition, frame) === decisive;
      } catch (error) {
        absorb(error, frame.budget);
        failure ??= error;
      }
      return !decided;
    });
    if (decided) return decisive;
    if (failure !== undefined) throw failure;
    return !decisive;
  };
}

function exactlyOne(loop: Loop, condition: Evaluate): Evaluate {
  return (frame) => {
    let count = 0;
    run(loop, frame, () => {
      if (test(loop, condition, frame)) count += 1;
      return true;
    });
    return count === 1;
  };
}

function collect(loop: Loop, condition: Evaluate | undefined, transform: Evaluate): Evaluate {
  return (frame) => {
    const result: JsonValue[] = [];
    run(loop, frame, () => {
      if (condition === undefined || test(loop, condition, frame)) result.push(toJson(transform(frame)));
      return true;
    });
    return result;
  };
}
