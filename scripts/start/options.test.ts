import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "./options.ts";
import { StartError } from "./start-error.ts";

const FROM = { cwd: "/srv/notes", root: "/srv/opspawn" };

test("without options everything has its default", () => {
  assert.deepEqual(readOptions([], FROM), {
    files: [],
    once: false,
    pace: 0,
    port: null,
    data: "/srv/opspawn/.opspawn",
    help: false,
  });
});

test("paths start where the caller stands, not where npm runs", () => {
  const options = readOptions(["--file", "a.md", "--file", "/b.md", "--data", "d", "--once", "--port", "9000"], FROM);
  assert.deepEqual(options.files, ["/srv/notes/a.md", "/b.md"]);
  assert.equal(options.data, "/srv/notes/d");
  assert.deepEqual([options.once, options.port], [true, 9000]);
});

test("what cannot be meant is refused with what can", () => {
  for (const [argv, expected] of [
    [["--port", "http"], /--port must be a whole number from 0 to 65535, not "http"/],
    [["--port", "70000"], /--port must be/],
    [["--pace", "-1"], /--pace/],
    [["--pace", ""], /--pace must be/],
    [["--fil", "x"], /--fil.*npm start/s],
    [["notes.md"], /notes\.md.*npm start/s],
  ] as const) {
    assert.throws(
      () => readOptions(argv, FROM),
      (error) => error instanceof StartError && expected.test(error.message),
      argv.join(" "),
    );
  }
});
