import type { JsonObject } from "@opspawn/contract";

/** Parts of the editors' schema. An empty place in YAML is null, and null is absent: hence a `null` in every type. */

export function text(description: string, maxLength: number): JsonObject {
  return { description, type: ["string", "null"], maxLength };
}

export function id(description: string, maxLength?: number): JsonObject {
  return { description, type: ["string", "null"], minLength: 1, ...(maxLength === undefined ? {} : { maxLength }) };
}

/** An id that must be there. */
export function needed(description: string, maxLength?: number): JsonObject {
  return { ...id(description, maxLength), type: "string" };
}

export function whole(description: string, minimum: number, maximum: number): JsonObject {
  return { description, type: ["integer", "null"], minimum, maximum };
}

export function choice(description: string, choices: readonly string[]): JsonObject {
  return { description, enum: [...choices, null] };
}

export function duration(description: string): JsonObject {
  const written = `${description} Written as a whole number and a unit: 250ms, 30s, 2m, 24h, 7d.`;
  return { description: written, type: ["string", "null"], pattern: "^[0-9]{1,15}(us|ms|s|m|h|d)$" };
}

/** An expression that yields true or false; or one of these. */
export function condition(description: string): JsonObject {
  return { description, type: ["string", "boolean", "null"], minLength: 1 };
}

/** What an agent or a tool is given. */
export function parameters(description: string): JsonObject {
  const anyOf = [{ type: ["object", "null"] }, { type: "string", pattern: "^\\$\\{\\{[\\s\\S]*\\}\\}$" }];
  return { description, anyOf };
}

/** The name of a step: its id, or `{ taskId: ID }`. */
export function step(description: string, maxLength: number): JsonObject {
  const properties = { taskId: needed("The step's id.", maxLength) };
  const anyOf = [
    { type: ["string", "null"], minLength: 1, maxLength },
    { type: "object", properties, required: ["taskId"], additionalProperties: false },
  ];
  return { description, anyOf };
}

/** An object with these fields and no others; null where it need not be there. */
export function closed(description: string, properties: JsonObject, more: JsonObject = {}): JsonObject {
  return { description, type: ["object", "null"], properties, additionalProperties: false, ...more };
}

/** An object in which these fields are there and not null. */
export function given(...names: readonly string[]): JsonObject {
  const properties = Object.fromEntries(names.map((name) => [name, { not: { type: "null" } }]));
  return { type: "object", required: [...names], properties };
}

/** Where these fields are absent, or null. */
export function absent(...names: readonly string[]): JsonObject {
  return { properties: Object.fromEntries(names.map((name) => [name, { type: "null" }])) };
}

/** At most one of these fields is given. */
export function oneAtMost(names: readonly string[]): JsonObject[] {
  return names.flatMap((first, at) => names.slice(at + 1).map((second) => ({ not: given(first, second) })));
}

/** The second fields stand only beside the first. */
export function needs(first: string, second: readonly string[]): JsonObject {
  return { anyOf: [given(first), absent(...second)] };
}
