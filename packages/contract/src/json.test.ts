import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { OpspawnError } from "./errors.ts";
import { isJsonNumber, isJsonObject, jsonNumber, jsonNumberText, parseJson, stringifyJson } from "./json.ts";
import { checkJson, JSON_LIMITS } from "./json-limits.ts";
import type { JsonValue } from "./json-value.ts";

function refusal(input: string | Uint8Array, limits = JSON_LIMITS): OpspawnError {
  try {
    parseJson(input, limits);
  } catch (error) {
    assert.ok(error instanceof OpspawnError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${String(input).slice(0, 80)}`);
}

const offset = (text: string) => refusal(text).issues?.[0]?.loc[1];
const roundTrip = (text: string) => stringifyJson(parseJson(text));

describe("numbers", () => {
  const texts = [
    ..."0 -0 1 1.0 -1.50 1e5 1E5 1e-7 1E+2 0.1 -0.5 0.0 1.10 9007199254740993 123456789012345678901234567890".split(
      " ",
    ),
    ..."0.1234567890123456789 0.0000001 1000000000000000000000 1e21 0.000001 -0.0 1.7976931348623157e308".split(" "),
  ];
  for (const text of texts) {
    it(`keeps ${text} as it was written, alone, in arrays and in objects`, () => {
      for (const place of [text, `[${text}]`, `[1,${text},"x"]`, `{"a":${text}}`, `{"a":{"b":[{"c":${text}}]}}`]) {
        assert.equal(roundTrip(place), place);
      }
      assert.equal(roundTrip(`{ "a" :\n ${text} , "b" : [ ${text} ] }`), `{"a":${text},"b":[${text}]}`);
    });
  }

  it("keeps any number the grammar allows", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 25 });
    const integer = digits.map((text) => text.replace(/^0+(?=\d)/, ""));
    const fraction = fc.option(digits, { nil: undefined }).map((text) => (text === undefined ? "" : `.${text}`));
    const exponent = fc.constantFrom("", "e0", "E-5", "e+10", "e20");
    const number = fc.tuple(fc.constantFrom("", "-"), integer, fraction, exponent).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(number), fc.constantFrom(",", ", ", " ,\n"), (numbers, comma) => {
        assert.equal(roundTrip(`[${numbers.join(comma)}]`), `[${numbers.join(",")}]`);
        const fields = numbers.map((text, i) => `"k${i}":${text}`);
        assert.equal(roundTrip(`{${fields.join(comma)}}`), `{${fields.join(",")}}`);
      }),
    );
  });

  it("reads ordinary numbers as numbers, so that code can compute with them", () => {
    assert.deepEqual(parseJson("[0,1,-1,0.5,12.25,123456789012345]"), [0, 1, -1, 0.5, 12.25, 123456789012345]);
    assert.deepEqual(parseJson("[[1.0],5]"), [[JSON.rawJSON("1.0")], 5]);
  });

  it("reads seconds after minutes in text without mistaking them for numbers", () => {
    const text = '{"timestamp":"2025-01-01T10:15:15.123450+00:00","note":", 1.0 and [2e5"}';
    assert.equal(roundTrip(text), text);
  });

  it("tells raw numbers from objects", () => {
    const [raw, plain, object] = parseJson('[1.0,1,{"rawJSON":"1.0"}]') as [JsonValue, JsonValue, JsonValue];
    assert.deepEqual([raw, plain, object].map(isJsonNumber), [true, true, false]);
    assert.deepEqual([raw, plain, object].map(isJsonObject), [false, false, true]);
    assert.deepEqual([raw, plain, object].map(jsonNumber), [1, 1, undefined]);
    assert.deepEqual([raw, plain, object].map(jsonNumberText), ["1.0", "1", undefined]);
    assert.equal(isJsonObject(null), false);
    assert.equal(isJsonObject([]), false);
    assert.equal(isJsonObject(undefined), false);
  });

  it("refuses numbers beyond a double's range and beyond 4,300 digits", () => {
    for (const text of ["1e309", "[-1e400]", `{"a":${"9".repeat(400)}}`, `0.${"1".repeat(4_300)}`]) {
      assert.equal(refusal(text).code, "invalid_request");
    }
    assert.deepEqual(refusal('{"a":[1,1e400]}').issues?.[0]?.loc, ["body", "a", 1]);
  });

  it("refuses NaN and Infinity, which the originals took", () => {
    assert.equal(offset("NaN"), 0);
    assert.equal(offset('{"a": NaN}'), 6);
    assert.equal(offset("[1, -Infinity]"), 4);
  });
});

describe("values", () => {
  it("gives back every value JSON can hold", () => {
    const value = fc
      .jsonValue({ maxDepth: 5 })
      .filter((v) => !/__proto__|constructor|prototype/.test(JSON.stringify(v)));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, "\t"), (json, indent) => {
        const text = JSON.stringify(json);
        fc.pre(!/\\u0000|\\ud[89a-f]/.test(text));
        assert.equal(roundTrip(JSON.stringify(json, null, indent)), text);
      }),
    );
  });

  it("reads the same from bytes as from text, a byte order mark or not", () => {
    const text = '{"é":"😀","n":1.0}';
    const bytes = new TextEncoder().encode(text);
    assert.equal(stringifyJson(parseJson(bytes)), text);
    assert.equal(stringifyJson(parseJson(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]))), text);
  });

  it("lets the last of equal keys win, with and without raw numbers beside them", () => {
    assert.equal(roundTrip('{"a":1,"a":2}'), '{"a":2}');
    assert.equal(roundTrip('{"a":1.0,"a":2.0}'), '{"a":2.0}');
  });

  it("reads escapes alike on both paths", () => {
    const text = '"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t\\ud83d\\ude00"';
    assert.equal(parseJson(text), JSON.parse(text));
    assert.deepEqual((parseJson(`[1.0,${text}]`) as JsonValue[])[1], JSON.parse(text));
  });
});

describe("syntax errors", () => {
  // Offsets as Python's json module counts them.
  const cases: Readonly<Record<number, readonly string[]>> = {
    0: ["", "x", "tru", "-", ".5", "+1", '"abc', '"ab\\', "\u00a01", "'a'", "// x"],
    1: ["01", "1.", "1e", "[", "{", "{1}", '["a', '"\\x"'],
    2: ["[1", '"a\nb"', '"a\u0000b"', '"\\u12g4"'],
    3: ["   ", "[1 2]", "[1,]"],
    4: ['{"a"}', "[1] []", "[1,2", '"ab\\u0041'],
    5: ['{"a" 1}', '{"a":}'],
    6: ['{"a":1'],
    7: ['{"a":1 "b"}', '{"a":1,}', '{"a":1}}', '{"😀":1,}'],
  };
  const flat = Object.entries(cases).flatMap(([at, texts]) => texts.map((text) => [text, Number(at)] as const));
  for (const [text, at] of flat) {
    it(`places the fault of ${JSON.stringify(text)} at character ${at}`, () => {
      const error = refusal(text);
      assert.equal(error.code, "json_invalid");
      assert.deepEqual(error.issues?.[0]?.loc, ["body", at]);
      assert.match(error.message, new RegExp(`at character ${at}\\.$`));
    });
  }

  it("accepts and refuses exactly what JSON.parse does", () => {
    const piece = fc.constantFrom(
      ...'{}[],:"\\ \n-+.eE0129tfnu',
      "true",
      "false",
      "null",
      '"a"',
      "\\u00e9",
      "1.0",
      "é",
      "{}",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.equal(refusal(text).code, "json_invalid");
          return;
        }
        fc.pre(text.includes("null") || !JSON.stringify(expected).includes("null")); // 9e999 is refused
        assert.deepEqual(JSON.parse(roundTrip(text)), expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("limits", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  it("takes 64 levels and refuses 65, in arrays and objects, with and without raw numbers", () => {
    assert.equal(roundTrip(nested(64)), nested(64));
    assert.equal(refusal(nested(65)).code, "too_deep");
    const objects = (depth: number, leaf: string) => '{"a":'.repeat(depth) + leaf + "}".repeat(depth);
    for (const leaf of ["1", "1.0"]) {
      assert.equal(roundTrip(objects(64, leaf)), objects(64, leaf));
      assert.equal(refusal(objects(65, leaf)).code, "too_deep");
    }
  });

  it("refuses 10,000 and 500,000 levels, closed or not, brackets in strings or not", () => {
    for (const depth of [10_000, 500_000]) {
      assert.equal(refusal(nested(depth)).code, "too_deep");
      assert.equal(refusal("[".repeat(depth)).code, "too_deep");
      assert.equal(refusal('{"a":'.repeat(depth / 10)).code, "too_deep");
    }
    assert.equal(refusal('["]]\\"",'.repeat(20_000)).code, "too_deep");
    const flat = `["${"[".repeat(20_000)}\\"[",[]]`;
    assert.equal(roundTrip(flat), flat);
  });

  it("counts bytes, not characters", () => {
    const limits = { ...JSON_LIMITS, maxBytes: 10 };
    assert.equal(parseJson('"12345678"', limits), "12345678");
    assert.equal(refusal('"123456789"', limits).code, "body_too_large");
    assert.equal(parseJson('"éééé"', limits), "éééé");
    assert.equal(refusal('"ééééé"', limits).code, "body_too_large");
    assert.equal(refusal(new TextEncoder().encode('"ééééé"'), limits).code, "body_too_large");
    assert.equal(refusal(new Uint8Array(5_000_000)).code, "body_too_large");
  });

  it("takes 10,000 keys and refuses 10,001, wherever they stand", () => {
    const object = (keys: number) => `{${Array.from({ length: keys }, (_, i) => `"k${i}":1`).join()}}`;
    assert.equal(roundTrip(object(10_000)), object(10_000));
    assert.equal(refusal(object(10_001)).code, "invalid_request");
    assert.equal(refusal(`[${object(5_000)},${object(5_001)}]`).code, "invalid_request");
  });

  it("takes a string or key of 256 KB and refuses one byte more", () => {
    for (const character of ["x", "é"]) {
      const text = character.repeat(262_144 / new TextEncoder().encode(character).length);
      assert.equal(parseJson(JSON.stringify(text)), text);
      assert.equal(refusal(JSON.stringify([`${text}x`])).code, "body_too_large");
      assert.equal(refusal(JSON.stringify({ [`${text}x`]: 1 })).code, "body_too_large");
    }
  });

  it("refuses keys that reach into prototypes, plain, escaped and beside raw numbers", () => {
    for (const key of ["__proto__", "constructor", "prototype", "__pr\\u006fto__"]) {
      for (const value of ["1", "1.0", '{"a":1}']) {
        const error = refusal(`{"x":[{"${key}":${value}}]}`);
        assert.equal(error.code, "invalid_request");
        assert.deepEqual(error.issues?.[0]?.loc.slice(0, 3), ["body", "x", 0]);
      }
    }
    assert.equal(Reflect.get({}, "a"), undefined);
  });

  it("refuses NUL and lone surrogates, in values and keys, raw and escaped", () => {
    const bad = ['"\\u0000"', '"a\\ud83d"', '"\\ude00b"', '"\ud83d"', '"\\ud83d\\u0041"', '"\\uD83D\\uD83D\\uDE00"'];
    for (const text of bad) {
      for (const place of [text, `[${text}]`, `{${text}:1}`, `{"a":${text}}`, `{"n":1.0,"a":${text}}`]) {
        assert.equal(refusal(place).code, "invalid_text", place);
      }
    }
    assert.equal(parseJson('"\\\\u0000 \\\\ud83d"'), "\\u0000 \\ud83d");
    assert.deepEqual(refusal('{"a":{"b":["\\u0000"]}}').issues?.[0]?.loc, ["body", "a", "b", 0]);
  });

  it("refuses bytes that are not UTF-8, UTF-16 included", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0xbd, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0xff, 0xfe, 0x31, 0],
    ]) {
      assert.equal(refusal(new Uint8Array(bytes)).code, "invalid_text");
    }
  });

  it("answers hostile bodies of 1 MB in far less than a second", { timeout: 20_000 }, () => {
    const bodies = [
      `[${"1.0,".repeat(250_000)}1]`,
      `[${"{},".repeat(300_000)}1]`,
      `[${'"a"    ,'.repeat(120_000)}"`,
      ",".repeat(1_000_000),
      `[${"1".repeat(1_000_000)}]`,
      `[${"1.".repeat(400_000)}]`,
      ',"'.repeat(400_000),
      " ".repeat(1_000_000),
      `["${"\\u0041".repeat(40_000)}"]`,
      `[${'"\\'.repeat(300_000)}`,
      `[${":-0".repeat(300_000)}`,
      `[${"0.0000000".repeat(100_000)}`,
    ];
    for (const body of bodies) {
      const start = performance.now();
      try {
        parseJson(body);
      } catch (error) {
        assert.ok(error instanceof OpspawnError);
      }
      assert.ok(performance.now() - start < 2_000, body.slice(0, 20));
    }
  });
});

describe("checkJson", () => {
  it("refuses values that JSON cannot hold", () => {
    const values: unknown[] = [Number.NaN, Number.POSITIVE_INFINITY, undefined, () => 1, 1n, Symbol("x")];
    for (const value of values) {
      assert.throws(() => checkJson([value] as JsonValue), { code: "invalid_request" });
    }
  });

  it("refuses a value nested in itself instead of overflowing the stack", () => {
    const loop: JsonValue[] = [];
    loop.push(loop);
    assert.throws(() => checkJson(loop), { code: "too_deep" });
  });

  it("looks at texts whatever their source", () => {
    assert.throws(() => checkJson({ a: "\0" }), { code: "invalid_text" });
    assert.throws(() => checkJson({ "\ud800": 1 }), { code: "invalid_text" });
    checkJson({ a: ["é", 1, true, null, {}] });
  });
});
