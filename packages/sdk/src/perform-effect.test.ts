import assert from "node:assert/strict";
import { test } from "node:test";
import { EffectNotDone, performEffect } from "./perform-effect.ts";
import { sampleEffect } from "./testing/index.ts";

const TICKET = { taskId: "t", token: "1.a" };

/** A platform that keeps account of one effect. */
function platform(known: { done?: number; again?: boolean; deaf?: boolean } = {}) {
  const said: unknown[] = [];
  return {
    said,
    effects: {
      announce: async (_task: string, { payload }: { payload?: unknown }) => {
        said.push(["announce", payload]);
        const { done, again = false } = known;
        const told = sampleEffect({
          receipt: { status: "done", result: done ?? null, note: null, at: "", attempt: 1, by: "agent" },
        });
        if (done === undefined) {
          return { effectId: "e", idempotencyKey: "key", status: "intended" as const, again, receipt: null };
        }
        return { effectId: "e", idempotencyKey: "key", status: "done" as const, again: false, receipt: told.receipt };
      },
      receipt: async (
        _task: string,
        _effect: string,
        body: { status: string; result?: unknown; note?: string | undefined },
      ) => {
        if (known.deaf) throw new Error("nobody answers");
        said.push([body.status, body.note ?? body.result]);
        return sampleEffect();
      },
    },
  };
}

test("an effect is announced, done under its key, and told of", async () => {
  const { effects, said } = platform({ again: true });
  const result = await performEffect({ effects, ...TICKET }, "e", { to: "ann" }, (key, { again }) => `${key} ${again}`);
  assert.deepEqual(
    [result, said],
    [
      "key true",
      [
        ["announce", { to: "ann" }],
        ["done", "key true"],
      ],
    ],
  );
});

test("what an earlier attempt did is not done again; its result is given", async () => {
  const { effects, said } = platform({ done: 7 });
  const result = await performEffect({ effects, ...TICKET }, "e", null, () => assert.fail("done again"));
  assert.deepEqual([result, said], [7, [["announce", null]]]);
});

test("who knows that nothing happened says so; any other error leaves it open", async () => {
  const { effects, said } = platform();
  const refuse = (error: Error) =>
    assert.rejects(
      performEffect({ effects, ...TICKET }, "e", 1, () => Promise.reject(error)),
      error,
    );
  await refuse(new EffectNotDone(`no funds${"\0".repeat(1_000)}`));
  await refuse(new Error("the line went dead"));
  assert.deepEqual(said, [
    ["announce", 1],
    ["not_done", `no funds${"\ufffd".repeat(992)}`],
    ["announce", 1],
  ]);
});

test("a receipt that does not arrive is told to whoever listens, and the effect is done all the same", async () => {
  const { effects } = platform({ deaf: true });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  assert.equal(await performEffect({ effects, ...TICKET }, "e", 1, () => "done", { onError }), "done");
  assert.deepEqual(errors.map(String), ["Error: nobody answers"]);
});
