import type { Budget } from "./budget.ts";
import type { Value } from "./values.ts";

/** A function of the language. `args[0]` of a method is what it is called on, and is not counted in `arity`. */
export interface FunctionSpec {
  readonly arity: readonly number[];
  run(args: readonly Value[], budget: Budget): Value;
}
