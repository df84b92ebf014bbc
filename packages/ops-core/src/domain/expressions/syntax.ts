import type { ArithmeticOperator, ComparisonOperator } from "./operators.ts";

export type Literal = null | boolean | bigint | number | string;

/** The syntax tree of an expression. `at` is the position of its first character in the source, from 0. */
export type Node = { readonly at: number } & (
  | { readonly kind: "literal"; readonly value: Literal }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "field"; readonly of: Node; readonly field: string }
  | { readonly kind: "index"; readonly of: Node; readonly key: Node }
  | { readonly kind: "call"; readonly name: string; readonly on: Node | null; readonly args: readonly Node[] }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [key: Node, value: Node])[] }
  | { readonly kind: "choice"; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: "logic"; readonly operator: "&&" | "||"; readonly left: Node; readonly right: Node }
  | { readonly kind: "equality"; readonly operator: "==" | "!=" | "in"; readonly left: Node; readonly right: Node }
  | { readonly kind: "comparison"; readonly operator: ComparisonOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "arithmetic"; readonly operator: ArithmeticOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "not" | "minus"; readonly of: Node }
);
