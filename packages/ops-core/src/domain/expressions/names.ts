import type { JsonObject } from "@opspawn/contract";
import { suggestion } from "../suggestion.ts";
import type { Allowance } from "./allowance.ts";
import { ExpressionFailure } from "./failure.ts";
import { type Evaluate, PER_RUN_ROOTS, type Reference, STEP_FIELDS } from "./scope.ts";
import type { Node } from "./syntax.ts";

const ROOTS = ["input", "steps", "session", "trigger", ...PER_RUN_ROOTS] as const;
/** Roots that are values as they stand. */
const VALUE_ROOTS = ["input", ...PER_RUN_ROOTS] as const;
/** Roots that may be the variable of a macro: definitions that were accepted before there was such a root name one so. */
const LATE_ROOTS: readonly string[] = ["iteration"];

/** The names in force at a place of an expression, and what they were found to read. */
export class Names {
  readonly references: Reference[] = [];
  readonly allowance: Allowance;
  readonly #locals: string[] = [];

  constructor(allowance: Allowance) {
    this.allowance = allowance;
  }

  /** Opens a macro's variable for the time of `body`; `slot` is its place in `Frame.locals`. */
  within<T>(variable: Node | undefined, body: (slot: number) => T): T {
    if (variable?.kind !== "name")
      throw new ExpressionFailure("the first argument must be a name", { at: variable?.at ?? 0 });
    if (ROOTS.some((root) => root === variable.name) && !LATE_ROOTS.includes(variable.name)) {
      throw new ExpressionFailure(`"${variable.name}" has a meaning already; choose another name`, { at: variable.at });
    }
    this.#locals.push(variable.name);
    try {
      return body(this.#locals.length - 1);
    } finally {
      this.#locals.pop();
    }
  }

  /** A name that stands alone. */
  name(node: Extract<Node, { kind: "name" }>): Evaluate {
    const slot = this.#locals.lastIndexOf(node.name);
    if (slot >= 0) return (frame) => frame.locals[slot] ?? null;
    const root = VALUE_ROOTS.find((each) => each === node.name);
    if (root !== undefined) {
      this.references.push({ root });
      return (frame) => frame.root(root);
    }
    throw new ExpressionFailure(this.#refusal(node.name), { at: node.at });
  }

  #refusal(name: string): string {
    if (name === "steps") return 'name one step, as in steps.fetch.result or steps["publish-ok"].result';
    if (name === "session") return "write session.id or session.labels";
    if (name === "trigger") return "write trigger.agentId";
    return `unknown name "${name}"${suggestion(name, [...ROOTS, ...this.#locals])}`;
  }

  /** `session.id`, `trigger.agentId`, `steps.ID.result`; undefined when the node is something else. */
  path(node: Node): Evaluate | undefined {
    if (node.kind !== "field" && node.kind !== "index") return undefined;
    const root = this.#rootOf(node.of);
    if (root === "session" || root === "trigger") return this.#rootField(root, memberOf(node), node.at);
    if (node.of.kind !== "field" && node.of.kind !== "index") return undefined;
    if (this.#rootOf(node.of.of) !== "steps") return undefined;
    return this.#step(memberOf(node.of), memberOf(node), node.at);
  }

  #rootOf(node: Node): string | undefined {
    return node.kind === "name" && !this.#locals.includes(node.name) ? node.name : undefined;
  }

  #rootField(root: "session" | "trigger", field: string | undefined, at: number): Evaluate {
    this.references.push({ root });
    if (root === "session" && field === "id") return (frame) => frame.scope.session.id;
    if (root === "session" && field === "labels") return (frame) => frame.scope.session.labels as JsonObject;
    if (root === "trigger" && field === "agentId") return (frame) => frame.scope.trigger.agentId;
    throw new ExpressionFailure(this.#refusal(root), { at });
  }

  #step(stepId: string | undefined, field: string | undefined, at: number): Evaluate {
    if (stepId === undefined) throw new ExpressionFailure("a step must be named literally, not computed", { at });
    const known = STEP_FIELDS.find((each) => each === field);
    if (known === undefined) {
      const written = field === undefined ? "a computed field" : `"${field}"`;
      const hint = suggestion(field ?? "", STEP_FIELDS);
      throw new ExpressionFailure(`a step has result, results, status, error and errors, not ${written}${hint}`, {
        at,
      });
    }
    this.references.push({ root: "steps", stepId, field: known });
    return (frame) => frame.step(stepId, known);
  }
}

/** The literal name that a field or index node reads; undefined when it is computed. */
function memberOf(node: Extract<Node, { kind: "field" | "index" }>): string | undefined {
  if (node.kind === "field") return node.field;
  return node.key.kind === "literal" && typeof node.key.value === "string" ? node.key.value : undefined;
}
