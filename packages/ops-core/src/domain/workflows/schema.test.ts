import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { Issues } from "../issues.ts";
import { SCHEMA_PATTERNS_MAX } from "./limits.ts";
import { checkSchema } from "./schema.ts";
import { validate } from "./schema-validation.ts";

function checked(schema: JsonValue): string[] {
  const issues = new Issues();
  checkSchema(schema, ["schema"], issues);
  return issues.list.map((issue) => `${issue.loc.join("/")} ${issue.type}: ${issue.msg}`);
}

/** The issues of a value, its schema being sound. */
function issuesOf(schema: JsonObject, value: JsonValue): string[] {
  assert.deepEqual(checked(schema), []);
  return validate(schema, value).map((issue) => `${issue.loc.join("/")} ${issue.type}: ${issue.msg}`);
}

function accepts(schema: JsonObject, ...values: JsonValue[]): void {
  for (const value of values) assert.deepEqual(issuesOf(schema, value), [], JSON.stringify(value));
}

function refuses(schema: JsonObject, cases: readonly (readonly [value: JsonValue, issue: string])[]): void {
  for (const [value, issue] of cases) assert.deepEqual(issuesOf(schema, value), [issue], JSON.stringify(value));
}

const raw = (text: string) => JSON.rawJSON(text) as unknown as JsonValue;

test("types, one or several", () => {
  accepts({ type: "integer" }, 1, -5, raw("1.0"), raw("12345678901234567890123"));
  accepts({ type: "number" }, 1, 1.5, raw("1e2"));
  accepts({ type: ["string", "null"] }, "x", null);
  accepts({ type: "object" }, {});
  accepts({ type: "array" }, []);
  accepts({ type: "boolean" }, true);
  refuses({ type: "integer" }, [
    [1.5, " wrong_type: must be integer"],
    ["1", " wrong_type: must be integer"],
  ]);
  refuses({ type: ["string", "null"] }, [[1, " wrong_type: must be string or null"]]);
  refuses({ type: "object" }, [
    [[], " wrong_type: must be object"],
    [null, " wrong_type: must be object"],
    [raw("1.0"), " wrong_type: must be object"],
  ]);
  refuses({ type: "null" }, [[0, " wrong_type: must be null"]]);
  refuses({ type: "array" }, [[{}, " wrong_type: must be array"]]);
  refuses({ type: "boolean" }, [[null, " wrong_type: must be boolean"]]);
});

test("objects: required, known and other keys, their number", () => {
  const schema = {
    type: "object",
    required: ["url"],
    properties: { url: { type: "string" }, deep: { properties: { n: { type: "integer" } } } },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 2,
  };
  accepts(schema, { url: "x" }, { url: "x", deep: {} });
  refuses(schema, [
    [{ deep: {} }, "url missing: is required"],
    [{ url: 1 }, "url wrong_type: must be string"],
    [{ url: "x", deep: { n: "1" } }, "deep/n wrong_type: must be integer"],
    [{ url: "x", ulr: 1 }, "ulr not_allowed: is not allowed here"],
  ]);
  refuses({ minProperties: 1 }, [[{}, " wrong_length: must have at least 1 key"]]);
  refuses({ maxProperties: 2 }, [[{ a: 1, b: 2, c: 3 }, " wrong_length: must have at most 2 keys"]]);
  refuses({ additionalProperties: { type: "number" } }, [[{ x: "1" }, "x wrong_type: must be number"]]);
  accepts({ required: ["constructor"] }, JSON.parse('{"constructor":1}') as JsonValue);
  refuses({ required: ["toString"] }, [[{}, "toString missing: is required"]]);
});

test("lists: their members, length, uniqueness", () => {
  const schema = { items: { type: "integer" }, minItems: 1, maxItems: 3, uniqueItems: true };
  accepts(schema, [1], [1, 2, 3], "no list");
  refuses(schema, [
    [[], " wrong_length: must have at least 1 item"],
    [[1, 2, 3, 4], " wrong_length: must have at most 3 items"],
    [[1, "2"], "1 wrong_type: must be integer"],
    [[1, raw("1.0")], "1 not_unique: is in the list already"],
  ]);
});

test("texts: length in characters, patterns on RE2", () => {
  accepts({ minLength: 2, maxLength: 2 }, "ab", "😀😀");
  refuses({ minLength: 2 }, [["😀", " wrong_length: must have at least 2 characters"]]);
  refuses({ maxLength: 1 }, [["ab", " wrong_length: must have at most 1 character"]]);
  accepts({ pattern: "^https?:" }, "http:", "https:", 5);
  refuses({ pattern: "^https?:" }, [["ftp:", " pattern_mismatch: must match the pattern ^https?:"]]);
});

test("numbers: bounds and steps", () => {
  accepts({ minimum: 1, maximum: 2 }, 1, 1.5, 2, "no number");
  refuses({ minimum: 1 }, [[0.5, " out_of_range: must be at least 1"]]);
  refuses({ maximum: 2 }, [[raw("12345678901234567890123"), " out_of_range: must be at most 2"]]);
  refuses({ exclusiveMinimum: 1 }, [[1, " out_of_range: must be above 1"]]);
  refuses({ exclusiveMaximum: 2.5 }, [[2.5, " out_of_range: must be below 2.5"]]);
  accepts({ multipleOf: 0.1 }, 0.3, 1);
  accepts({ multipleOf: 3 }, 9, raw("12345678901234567890123"));
  refuses({ multipleOf: 3 }, [[10, " out_of_range: must be a multiple of 3"]]);
  refuses({ multipleOf: 0.1 }, [[0.25, " out_of_range: must be a multiple of 0.1"]]);
});

test("fixed values", () => {
  accepts({ enum: ["a", 1, null] }, "a", 1, null, raw("1.0"));
  accepts({ const: { a: [1] } }, { a: [1] });
  refuses({ enum: ["a", 1] }, [["b", ' wrong_value: must be one of ["a",1]']]);
  refuses({ const: "x".repeat(200) }, [["y", ` wrong_value: must be "${"x".repeat(99)}...`]]);
});

test("alternatives and local references", () => {
  accepts({ anyOf: [{ type: "string" }, { minimum: 5 }] }, "x", 7);
  refuses({ anyOf: [{ type: "string" }, { type: "null" }] }, [[1, " no_alternative: fits none of the 2 alternatives"]]);
  accepts({ oneOf: [{ type: "string" }, { type: "integer" }] }, "x", 1);
  refuses({ oneOf: [{ type: "number" }, { type: "integer" }] }, [
    [1, " no_alternative: must fit one of 2 alternatives, not 2"],
  ]);
  refuses({ allOf: [{ minimum: 5 }, { type: "integer" }] }, [[3, " out_of_range: must be at least 5"]]);
  accepts({ not: { type: "null" } }, 1);
  refuses({ not: { type: "null" } }, [[null, " not_allowed: fits a schema it must not fit"]]);
  accepts({ properties: { a: true } }, { a: 1 });
  refuses({ properties: { a: false } }, [[{ a: 1 }, "a not_allowed: is not allowed here"]]);
  const tree = {
    $ref: "#/$defs/no~1de",
    $defs: { "no/de": { required: ["n"], properties: { n: { type: "integer" }, next: { $ref: "#/$defs/no~1de" } } } },
  };
  accepts(tree, { n: 1, next: { n: 2 } });
  refuses(tree, [[{ n: 1, next: { n: 2, next: {} } }, "next/next/n missing: is required"]]);
  accepts({ properties: { child: { $ref: "#" } } }, { child: { child: {} } });
  accepts({ allOf: [{ $ref: "#/allOf/1" }, true] }, 1);
});

test("annotations are allowed and say nothing", () => {
  const words = "$schema $id $comment title description default examples deprecated readOnly writeOnly format";
  accepts(Object.fromEntries(words.split(" ").map((word) => [word, "x"])), 1, "x");
});

test("a schema we could not honour is refused when it is saved, by name and path", () => {
  const cases: readonly (readonly [schema: JsonValue, issue: string])[] = [
    ["x", "schema wrong_type: must be a JSON Schema object"],
    [
      { propertes: {} },
      'schema/propertes unsupported_keyword: the keyword "propertes" is not supported in schemas; did you mean "properties"?',
    ],
    [{ items: { if: {} } }, 'schema/items/if unsupported_keyword: the keyword "if" is not supported in schemas'],
    [{ items: 1 }, "schema/items schema_invalid: must be a schema: an object, true or false"],
    [{ anyOf: [] }, "schema/anyOf schema_invalid: must be a list of schemas"],
    [{ anyOf: [1] }, "schema/anyOf/0 schema_invalid: must be a schema: an object, true or false"],
    [{ properties: [] }, "schema/properties schema_invalid: must be an object of schemas"],
    [{ properties: { a: "x" } }, "schema/properties/a schema_invalid: must be a schema: an object, true or false"],
    [
      { type: [] },
      "schema/type schema_invalid: must be one of object, array, string, number, integer, boolean, null, or a list of them",
    ],
    [{ enum: [] }, "schema/enum schema_invalid: must be a list with at least one value"],
    [{ required: "a" }, "schema/required schema_invalid: must be a list of strings"],
    [{ minLength: -1 }, "schema/minLength schema_invalid: must be a whole number, zero or more"],
    [{ minItems: 1.5 }, "schema/minItems schema_invalid: must be a whole number, zero or more"],
    [{ minimum: "1" }, "schema/minimum schema_invalid: must be a number"],
    [{ multipleOf: 0 }, "schema/multipleOf schema_invalid: must be a number above zero"],
    [{ uniqueItems: 1 }, "schema/uniqueItems schema_invalid: must be true or false"],
    [{ pattern: 1 }, "schema/pattern schema_invalid: must be a string"],
    [
      { pattern: "(?=a)" },
      "schema/pattern schema_invalid: not a pattern of RE2: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
    ],
    [
      { $ref: "https://example.com/schema" },
      'schema/$ref schema_invalid: must point into this schema, as in "#/$defs/address"; other documents are never fetched',
    ],
    [{ $ref: "#/$defs/none" }, 'schema/$ref schema_invalid: "#/$defs/none" points at no schema here'],
    [{ $ref: "#anchor" }, 'schema/$ref schema_invalid: "#anchor" points at no schema here'],
    [
      { $ref: "#/default", default: { pattern: "(" } },
      'schema/$ref schema_invalid: "#/default" points at no schema here',
    ],
    [{ $ref: "#/required/0", required: ["a"] }, 'schema/$ref schema_invalid: "#/required/0" points at no schema here'],
    [{ $ref: "#" }, "schema schema_invalid: a $ref leads back to itself without going into the value"],
    [
      { $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { not: { $ref: "#/$defs/a" } } } },
      "schema schema_invalid: a $ref leads back to itself without going into the value",
    ],
    [{ description: "x".repeat(70_000) }, "schema too_large: is larger than 65536 characters"],
  ];
  for (const [schema, issue] of cases) assert.deepEqual(checked(schema), [issue], JSON.stringify(schema).slice(0, 100));
  const patterns = Array.from({ length: SCHEMA_PATTERNS_MAX + 1 }, () => ({ pattern: "a" }));
  assert.deepEqual(checked({ anyOf: patterns }), [
    "schema/anyOf/50/pattern schema_invalid: more than 50 patterns in the schemas of one definition",
  ]);
});

test("a schema that would take for ever ends with an issue, the same each time", () => {
  const levels = Array.from({ length: 30 }, (_, at) => [
    `l${at}`,
    { anyOf: [{ $ref: `#/$defs/l${at + 1}` }, { $ref: `#/$defs/l${at + 1}` }] },
  ]);
  const exponential = { $ref: "#/$defs/l0", $defs: { ...Object.fromEntries(levels), l30: { type: "null" } } };
  const costly = [" too_costly: this value and its schema take too many steps to compare"];
  assert.deepEqual(issuesOf(exponential, 1), costly);
  assert.deepEqual(
    issuesOf(
      { uniqueItems: true },
      Array.from({ length: 5_000 }, (_, at) => at),
    ),
    costly,
  );
  assert.deepEqual(issuesOf({ pattern: "(a?){400}b" }, "a".repeat(200_000)), costly);

  const chain = Array.from({ length: 600 }, (_, at) => [`c${at}`, { $ref: `#/$defs/c${at + 1}` }]);
  const long = { $ref: "#/$defs/c0", $defs: { ...Object.fromEntries(chain), c600: true } };
  assert.deepEqual(issuesOf(long, 1), [" too_costly: the schema nests too deeply to apply"]);
});
