import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FakeIo } from "../fake-io.ts";

let io: FakeIo;

beforeEach(() => {
  io = new FakeIo();
});

afterEach(() => io.remove());

test("serve passes on what was said, and the exit code back", async () => {
  io.whileServing = () => Promise.resolve(3);
  const flags = ["--role", "api,engine", "--host", "0.0.0.0", "--port", "9000", "--log-level", "warn"];
  const { exitCode } = await io.run(["serve", ...flags, "--data", "here"]);
  assert.equal(exitCode, 3);
  assert.deepEqual(io.servers[0]?.args, [...flags, "--data", join(io.folder, "here")]);
  assert.equal(io.servers[0]?.folder, io.folder);
});

test("what was not said is left to the server's own settings", async () => {
  await io.run(["serve"], { env: { OPSPAWN_PORT: "9000" } });
  assert.deepEqual(io.servers[0]?.args, []);
  assert.deepEqual(io.servers[0]?.environment, { OPSPAWN_PORT: "9000" });
});

test("dev keeps the log quiet unless asked, and says how to go on once the server listens", async () => {
  io.whileServing = async () => {
    io.servers[0]?.onListening?.("http://127.0.0.1:9000");
    return 0;
  };
  const { exitCode, stdout, stderr } = await io.run(["dev", "--port", "9000", "--data", "here"]);
  assert.deepEqual([exitCode, stdout], [0, ""]);
  const data = join(io.folder, "here");
  assert.deepEqual(io.servers[0]?.args, ["--port", "9000", "--log-level", "warn", "--data", data]);
  assert.match(stderr, /reference of its API is at http:\/\/127\.0\.0\.1:9000\/docs/);
  assert.ok(stderr.includes(`\n  opspawn --url http://127.0.0.1:9000 --data ${data} run flow.yaml --wait\n`));
});

test("through npm, the commands that dev shows are the ones that npm takes", async () => {
  io.whileServing = async () => {
    io.servers[0]?.onListening?.("http://127.0.0.1:8000");
    return 0;
  };
  const { stderr } = await io.run(["dev"], { env: { npm_lifecycle_event: "opspawn", INIT_CWD: io.folder } });
  assert.match(stderr, /\n {2}npm run -s opspawn -- agents list\n/);
});

test("dev ends with the server when that cannot start, and shows nothing to go on with", async () => {
  io.whileServing = () => Promise.resolve(1);
  const { exitCode, stderr } = await io.run(["dev", "--port", "1"], { env: { LOG_LEVEL: "debug" } });
  assert.deepEqual([exitCode, stderr], [1, ""]);
  assert.deepEqual(io.servers[0]?.args, ["--port", "1"]);
});
