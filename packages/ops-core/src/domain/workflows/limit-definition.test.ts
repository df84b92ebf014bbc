import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { ExpressionScope } from "../expressions/scope.ts";
import { limitsText, readLimits } from "../tasks/limits.ts";
import { document, planOf, refusal, refuseEach } from "./definition.suite.ts";
import type { PlanStep } from "./plan.ts";
import { taskLimits } from "./step-values.ts";

const TENANT = "${{ input.tenant }}";
const MINUTE = 60_000_000;

const task = (fields: JsonObject, rest: JsonObject = {}): JsonObject => document([{ taskId: "a", ...fields }], rest);
const at = (...names: (string | number)[]) => ["tasks", 0, ...names];

function stepOf(fields: JsonObject, rest: JsonObject = {}): PlanStep {
  const [step] = planOf(task(fields, rest)).steps;
  assert.ok(step);
  return step;
}

function scopeOf(input: JsonValue, rest: Partial<ExpressionScope> = {}): ExpressionScope {
  return { input, steps: new Map(), session: { id: "s", labels: {} }, trigger: { agentId: null }, ...rest };
}

test("a step says how many tasks of a key run at once, and how many begin within some time", () => {
  const { limits, forEach } = stepOf({
    concurrency: { key: TENANT, limit: 5 },
    rateLimit: { key: "api", limit: 100, per: "1m" },
  });
  assert.deepEqual(limits, {
    concurrency: { key: TENANT, limit: 5 },
    rate: { key: "api", limit: 100, per: MINUTE },
  });
  assert.equal(forEach, null);
  assert.equal(stepOf({}).limits, null);
  assert.equal(stepOf({ tool: "t", rateLimit: { key: "k", limit: 1, per: "1s" } }).limits?.concurrency, null);
});

test("with forEach `concurrency` is a number of items, a limit of a key, or both", () => {
  const list = { forEach: [1, 2] };
  const forms: readonly [JsonValue, number, number | undefined][] = [
    [3, 3, undefined],
    [{ key: "k", limit: 5 }, 10, 5],
    [{ key: "k", limit: 5, items: 2 }, 2, 5],
  ];
  for (const [concurrency, items, limit] of forms) {
    const step = stepOf({ ...list, concurrency });
    assert.deepEqual([step.forEach?.concurrency, step.limits?.concurrency?.limit], [items, limit]);
  }
});

test("what the workflow says holds for each agent and tool step that says nothing else", () => {
  const rest = { concurrency: { key: TENANT, limit: 5 }, rateLimit: { key: "api", limit: 9, per: "1s" } };
  const steps = planOf(
    document(
      [
        { taskId: "a", forEach: [1], concurrency: 2 },
        { taskId: "b", tool: "t", concurrency: { key: "own", limit: 1 } },
        { taskId: "c", workflow: { id: "w2" } },
        { taskId: "d", wait: { for: "1s" } },
      ],
      rest,
    ),
  ).steps;
  const found = steps.map(({ limits }) => [limits?.concurrency?.key, limits?.rate?.key]);
  assert.deepEqual(found, [
    [TENANT, "api"],
    ["own", "api"],
    [undefined, undefined],
    [undefined, undefined],
  ]);
});

test("a key is evaluated for each task, and a number is a key, too", () => {
  const perItem = stepOf({ forEach: ["x"], concurrency: { key: "${{ item }}-${{ index }}", limit: 2 } });
  assert.deepEqual(taskLimits(perItem, scopeOf(null, { item: "x", index: 4 })), {
    concurrency: { key: "x-4", limit: 2 },
    rate: null,
  });
  const rated = stepOf({}, { rateLimit: { key: TENANT, limit: 2, per: "1m" } });
  assert.deepEqual(taskLimits(rated, scopeOf({ tenant: 7 })), {
    concurrency: null,
    rate: { key: "7", limit: 2, per: MINUTE },
  });
  assert.equal(taskLimits(stepOf({}), scopeOf(null)), null);
});

test("a key that comes to nothing fails the step with its place", () => {
  const failures: readonly [JsonValue, string][] = [
    [{ tenant: null }, "must yield a text or a number, not null"],
    [{ tenant: {} }, "must yield a text or a number, not an object"],
    [{ tenant: " " }, "the key comes out empty"],
    [{ tenant: "x".repeat(201) }, "the key has 201 characters, at most 200 are allowed"],
  ];
  const fields: readonly [JsonObject, string][] = [
    [{ concurrency: { key: TENANT, limit: 1 } }, "concurrency"],
    [{ rateLimit: { key: TENANT, limit: 1, per: "1s" } }, "rateLimit"],
  ];
  for (const [field, name] of fields) {
    const step = stepOf(field);
    for (const [input, msg] of failures) {
      const { code, issues } = refusal(() => taskLimits(step, scopeOf(input)));
      assert.deepEqual([code, issues], ["expression_failed", [{ loc: [name, "key"], msg, type: code }]]);
    }
  }
});

test("limits have their types, their places and their sizes", () => {
  const CONCURRENCY = 'must be an object such as { key: "${{ input.tenant }}", limit: 5 }';
  const DURATION = 'must be a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d"';
  const concurrency = (fields: JsonObject) => task({ concurrency: { key: "k", limit: 1, ...fields } });
  const rate = (fields: JsonObject) => task({ rateLimit: { key: "k", limit: 1, per: "1m", ...fields } });
  const whole = (max: number) => `must be a whole number from 1 to ${max}`;
  refuseEach([
    [
      "a text",
      task({ forEach: [1], concurrency: "5" }),
      at("concurrency"),
      "wrong_type",
      'must be a whole number from 1 to 100, or { key: "${{ input.tenant }}", limit: 5 }',
    ],
    [
      "no key",
      concurrency({ key: null }),
      at("concurrency", "key"),
      "missing",
      "is required: what is limited, such as a tenant's name",
    ],
    [
      "no limit",
      concurrency({ limit: null }),
      at("concurrency", "limit"),
      "missing",
      "is required: how many of its tasks run at once",
    ],
    ["a key of numbers", concurrency({ key: 7 }), at("concurrency", "key"), "wrong_type", "must be a string"],
    ["an empty key", concurrency({ key: " " }), at("concurrency", "key"), "empty", "must not be empty"],
    ["no limit at all", concurrency({ limit: 0 }), at("concurrency", "limit"), "wrong_number", whole(10_000)],
    ["half a limit", rate({ limit: 1.5 }), at("rateLimit", "limit"), "wrong_number", whole(10_000)],
    ["a word too many", concurrency({ per: "1m" }), at("concurrency", "per"), "unknown_field", 'unknown field "per"'],
    [
      "items without a list",
      concurrency({ items: 2 }),
      at("concurrency", "items"),
      "conflict",
      "belongs to `forEach`, which is missing",
    ],
    [
      "too many items",
      task({ forEach: [1], concurrency: { key: "k", limit: 1, items: 101 } }),
      at("concurrency", "items"),
      "wrong_number",
      whole(100),
    ],
    [
      "a key that is no expression",
      concurrency({ key: "${{ }}" }),
      at("concurrency", "key"),
      "expression_invalid",
      "nothing stands between ${{ and }}",
    ],
    [
      "a rate that is a number",
      task({ rateLimit: 5 }),
      at("rateLimit"),
      "wrong_type",
      'must be an object such as { key: "${{ input.tenant }}", limit: 100, per: 1m }',
    ],
    [
      "a rate without time",
      rate({ per: null }),
      at("rateLimit", "per"),
      "missing",
      "is required: the time that `limit` is for, such as 1m",
    ],
    [
      "a rate without limit",
      rate({ limit: null }),
      at("rateLimit", "limit"),
      "missing",
      "is required: how many of its tasks begin within `per`",
    ],
    ["a time without unit", rate({ per: "60" }), at("rateLimit", "per"), "wrong_duration", DURATION],
    [
      "a child",
      task({ workflow: { id: "c" }, concurrency: { key: "k", limit: 1 } }),
      at("concurrency"),
      "conflict",
      "a workflow step has no limit: its own tasks are limited where they stand",
    ],
    [
      "a child's rate",
      task({ workflow: { id: "c" }, rateLimit: { key: "k", limit: 1, per: "1s" } }),
      at("rateLimit"),
      "conflict",
      "a workflow step has no `rateLimit`",
    ],
    ["a number on the workflow", task({}, { concurrency: 5 }), ["concurrency"], "wrong_type", CONCURRENCY],
    [
      "items on the workflow",
      task({}, { concurrency: { key: "k", limit: 1, items: 2 } }),
      ["concurrency", "items"],
      "unknown_field",
      'unknown field "items"',
    ],
    [
      "the workflow reads a step",
      task({}, { concurrency: { key: "${{ steps.a.result }}", limit: 1 } }),
      ["concurrency", "key"],
      "out_of_place",
      '"steps" has no value here; a key that reads it stands in the step itself',
    ],
    [
      "the workflow reads an item",
      task({ forEach: [1] }, { rateLimit: { key: "${{ item }}", limit: 1, per: "1s" } }),
      ["rateLimit", "key"],
      "out_of_place",
      '"item" has no value here; a key that reads it stands in the step itself',
    ],
    [
      "a key of an item where there is none",
      concurrency({ key: "${{ item }}" }),
      at("concurrency", "key"),
      "out_of_place",
      '"item" has a value only in a step with forEach',
    ],
    [
      "a key of a later step",
      document([{ taskId: "a", rateLimit: { key: "${{ steps.b.result }}", limit: 1, per: "1m" } }, { taskId: "b" }]),
      at("rateLimit", "key"),
      "not_an_ancestor",
      'reads "b", which runs later',
    ],
  ]);
});

test("tasks of the same limits are known by the same text", () => {
  const limits = { concurrency: { key: 'a "b"', limit: 2 }, rate: { limit: 3, per: MINUTE, key: "k" } };
  assert.deepEqual(readLimits(limitsText(limits)), limits);
  assert.equal(limitsText(limits), limitsText({ ...limits, rate: { key: "k", limit: 3, per: MINUTE } }));
  assert.deepEqual(readLimits(limitsText({ concurrency: limits.concurrency, rate: null })).rate, null);
});
