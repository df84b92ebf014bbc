import { suggestion } from "../suggestion.ts";
import { ExpressionFailure } from "./failure.ts";
import { fromJson, isList, isMap, numberOf, typeName, type Value } from "./values.ts";

/** `value.name`. A missing key is an error, as in CEL; `has(value.name)` asks first. */
export function select(value: Value, name: string): Value {
  if (!isMap(value)) throw new ExpressionFailure(`cannot read "${name}" of ${typeName(value)}`);
  const member = Object.hasOwn(value, name) ? value[name] : undefined;
  if (member !== undefined) return fromJson(member);
  throw new ExpressionFailure(`no such key: "${name}"`, { hint: () => suggestion(name, Object.keys(value)) });
}

/** `value[key]`: a key of a map, or a position in a list from 0. */
export function index(value: Value, key: Value): Value {
  if (isMap(value)) {
    if (typeof key === "string") return select(value, key);
    throw new ExpressionFailure(`a map is read by a string, not by ${typeName(key)}`);
  }
  if (!isList(value)) throw new ExpressionFailure(`cannot index ${typeName(value)}`);
  const position = numberOf(key);
  if (typeof position !== "bigint") throw new ExpressionFailure(`a list is read by an int, not by ${typeName(key)}`);
  const member = position < 0n ? undefined : value[Number(position)];
  if (member !== undefined) return fromJson(member);
  throw new ExpressionFailure(`index ${position} is outside a list of ${value.length}`);
}

/** `has(value.name)`: false for a missing key and for null. */
export function has(value: Value, name: string): boolean {
  if (value === null) return false;
  if (!isMap(value)) throw new ExpressionFailure(`has() needs a map, not ${typeName(value)}`);
  return Object.hasOwn(value, name);
}
