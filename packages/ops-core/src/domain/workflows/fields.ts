import {
  DURATION_HINT,
  formatDuration,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDuration,
} from "@opspawn/contract";
import { hasExpression } from "../expressions/segments.ts";
import type { Issues, Loc } from "../issues.ts";
import { suggestion } from "../suggestion.ts";

interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Reads the fields of one object of a definition and notes what is wrong with each. Null means absent everywhere: that
 * is what an empty place in YAML says. A field that is wrong reads as absent, so one mistake makes one issue.
 */
export class Fields {
  readonly object: JsonObject;
  readonly loc: Loc;
  readonly issues: Issues;

  constructor(object: JsonObject, loc: Loc, issues: Issues) {
    this.object = object;
    this.loc = loc;
    this.issues = issues;
  }

  value(name: string): JsonValue | undefined {
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined;
  }

  at(...names: (string | number)[]): Loc {
    return [...this.loc, ...names];
  }

  refuse(name: string, type: string, msg: string | (() => string)): undefined {
    this.issues.add(this.at(name), type, msg);
    return undefined;
  }

  /** These fields but some. */
  without(names: readonly string[]): Fields {
    if (!names.some((name) => Object.hasOwn(this.object, name))) return this;
    const kept = Object.entries(this.object).filter(([name]) => !names.includes(name));
    return new Fields(Object.fromEntries(kept), this.loc, this.issues);
  }

  text(name: string, max: number): string | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.refuse(name, "wrong_type", "must be a string");
    if (value.length <= max) return value;
    return this.refuse(name, "too_long", `must have at most ${max} characters`);
  }

  /** A text that must not be empty: an id, a name to look up. */
  id(name: string, max: number): string | undefined {
    const text = this.text(name, max);
    return text === "" ? this.refuse(name, "empty", "must not be empty") : text;
  }

  /** An id of something that is looked up as it is written. */
  literal(name: string, max: number): string | undefined {
    const id = this.id(name, max);
    if (id === undefined || !hasExpression(id)) return id;
    return this.refuse(name, "expression_invalid", "is a name as it stands; it cannot hold an expression");
  }

  whole(name: string, { min, max }: Range): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.refuse(name, "wrong_number", `must be a whole number from ${min} to ${max}`);
  }

  /** A duration in microseconds. */
  duration(name: string, { min, max }: Range): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const micros = typeof value === "string" ? parseDuration(value) : null;
    if (micros === null) {
      const hint = typeof value === "number" ? `; a number alone has no unit: "${value}s"?` : "";
      return this.refuse(name, "wrong_duration", `must be ${DURATION_HINT}${hint}`);
    }
    if (micros >= min && micros <= max) return micros;
    return this.refuse(name, "wrong_duration", `must be from ${formatDuration(min)} to ${formatDuration(max)}`);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const quoted = choices.map((choice) => `"${choice}"`);
    return this.refuse(name, "wrong_value", `must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`);
  }

  /** A list of distinct strings. */
  names(name: string): string[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const texts = Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
    if (!Array.isArray(value) || texts.length < value.length) {
      return this.refuse(name, "wrong_type", "must be a list of strings");
    }
    if (new Set(texts).size === texts.length) return texts;
    return this.refuse(name, "duplicate", "names something twice");
  }

  /** The fields of an object inside this one. */
  inside(name: string, hint: string): Fields | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (isJsonObject(value)) return new Fields(value, this.at(name), this.issues);
    return this.refuse(name, "wrong_type", `must be an object such as ${hint}`);
  }

  /** Refuses every field that is not known. */
  closed(known: readonly string[]): void {
    for (const name of Object.keys(this.object)) {
      if (known.includes(name)) continue;
      this.refuse(name, "unknown_field", () => `unknown field "${name}"${suggestion(name, known)}`);
    }
  }
}
