import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { completed } from "./outcome.ts";
import { OutcomeMemory } from "./outcome-memory.ts";

test("the memory never holds more than its limits, and always the latest outcome that fits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e", "f"), fc.string({ maxLength: 30 })), { minLength: 1 }),
      (entries) => {
        const limits = { outcomes: 4, characters: 200 };
        const memory = new OutcomeMemory(limits);
        const keys = new Set<string>();
        for (const [key, text] of entries) {
          memory.remember(key, { attempt: 1, outcome: completed(text) });
          keys.add(key);
        }
        const held = [...keys].flatMap((key) => memory.get(key) ?? []);
        assert.ok(held.length <= limits.outcomes);
        assert.ok(held.reduce((sum, { outcome }) => sum + outcome.body.length, 0) <= limits.characters);
        const [key, text] = entries.at(-1) ?? ["", ""];
        assert.equal(memory.get(key)?.outcome.body, completed(text).body);
      },
    ),
  );
});
