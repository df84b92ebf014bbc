import assert from "node:assert/strict";
import { test } from "node:test";
import { proseOf } from "./prose.ts";

test("markup goes, what is read aloud stays", () => {
  const cases: [string, string][] = [
    ["**Bold**, *slanted* and _both_", "Bold, slanted and both"],
    ["snake_case_name and 2 * 3 * 4 stay", "snake_case_name and 2 * 3 * 4 stay"],
    ['see [the `start` page](docs/start.md "Start") first', "see the `start` page first"],
    ["[text][ref] and [other][]", "text and other"],
    ["![badge](http://h/b.svg) Hello", " Hello"],
    ["[![badge](b.svg)](http://h) Hello", " Hello"],
    ["<https://h.example/x> or https://h.example/y.", " or ."],
    ["a &amp; b &lt; c", "a & b < c"],
    ["press <kbd>Ctrl</kbd>", "press Ctrl"],
    ["``code with ` inside`` and `**no bold**`", "`code with ' inside` and `**no bold**`"],
    ["`curl http://127.0.0.1/` stays", "`curl http://127.0.0.1/` stays"],
    ["1\\. not a list \\*star\\*", "1. not a list *star*"],
    ["[wiki](https://h/a_(b)) ends", "wiki ends"],
  ];
  for (const [markdown, prose] of cases) assert.equal(proseOf(markdown), prose);
});

test("line breaks stay, so that places in the text can be found again", () => {
  assert.equal(proseOf("one [two\nthree](x)\n![a\nb](c) four"), "one two\nthree\n\n four");
});
