import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

test("dev keeps the log quiet unless asked, waits until the server is ready and then says how to go on", async () => {
  const ready = { is: false };
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/readyz" && ready.is ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  io.whileServing = async () => {
    await io.clock.reach(100_000);
    ready.is = true;
    while (!said.includes("ready")) await new Promise((resolve) => setImmediate(resolve));
    return 0;
  };
  let said = "";
  io.onWrite = (text) => {
    said += text;
  };
  const { exitCode, stdout, stderr } = await io.run(["dev", "--port", String(port)]);
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual([exitCode, stdout], [0, ""]);
  assert.deepEqual(io.servers[0]?.args, ["--port", String(port), "--log-level", "warn"]);
  assert.match(stderr, new RegExp(`Opspawn is ready at http://127\\.0\\.0\\.1:${port} \\(reference: .*/docs\\)`));
  assert.match(stderr, new RegExp(`opspawn --url http://127\\.0\\.0\\.1:${port} run flow\\.yaml --wait`));
});

test("dev ends with the server when that cannot start, and says nothing of being ready", async () => {
  io.whileServing = () => Promise.resolve(1);
  const { exitCode, stderr } = await io.run(["dev", "--port", "1"], { env: { LOG_LEVEL: "debug" } });
  assert.deepEqual([exitCode, stderr], [1, ""]);
  assert.deepEqual(io.servers[0]?.args, ["--port", "1"]);
});
