import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { operations } from "@opspawn/contract";
import { FakeFailure, FakeServer, sampleAgent } from "@opspawn/sdk/testing";
import type { Command } from "commander";
import { Context } from "./context.ts";
import { FakeIo } from "./fake-io.ts";
import type { Io } from "./io.ts";
import { createProgram } from "./program.ts";

const ADMIN = "opk_admin_secret";
const { agents, sessions } = operations;

let fake: FakeServer;
let io: FakeIo;

beforeEach(async () => {
  fake = await FakeServer.start({ apiKey: ADMIN });
  io = new FakeIo();
  mkdirSync(join(io.folder, ".opspawn"));
  io.file(".opspawn/admin.key", `${ADMIN}\n`);
});

afterEach(async () => {
  io.remove();
  await fake.close();
});

const page = { items: [sampleAgent()], nextCursor: null };

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

test("every help fits 80 columns, goes to stdout, ends with 0, and shows an example that is a command", async () => {
  const program = createProgram(new Context({ columns: 200 } as Io));
  const commands = allCommands(program);
  assert.ok(commands.length > 40);
  for (const command of commands) {
    const path = pathOf(command);
    const { exitCode, stdout, stderr } = await io.run([...path, "--help"], { columns: 200 });
    assert.deepEqual([exitCode, stderr], [0, ""], path.join(" "));
    assert.match(stdout, new RegExp(`Examples?:\n {2}\\$ ${["opspawn", ...path].join(" ")}`), path.join(" "));
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, `${path.join(" ")}: ${line}`);
  }
});

test("no arguments at all print the help", async () => {
  const { exitCode, stdout } = await io.run([]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Usage: opspawn/);
});

test("the version is that of the package", async () => {
  const { exitCode, stdout } = await io.run(["--version"]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("wrong usage ends with 2 and says how it is meant, on stderr", async () => {
  for (const [argv, message] of [
    [["sesions"], /unknown command 'sesions'\n\(Did you mean sessions\?\)/],
    [["agents"], /Usage: opspawn agents/],
    [["agents", "list", "--limit", "0"], /It must be a whole number from 1 to 200/],
    [["agents", "list", "-o", "xml"], /It must be one of table, json, yaml, jsonl/],
    [["run"], /missing required argument 'workflow'/],
    [["run", "w", "--label", "x"], /It must be key=value/],
    [["run", "w", "--wait=soon"], /Write --wait, or --wait=30s/],
    [["run", "nowhere.yaml"], /Cannot read nowhere.yaml: there is no such file/],
    [["run", "w", "--input", "{"], /--input is no JSON: .*\nFor the content of a file write --input @file.json/],
    [["agents", "get", ".."], /`agentId` must be an id/],
    [["agents", "list", "--url", "localhost"], /no http or https address/],
    [["agents", "register", "a"], /An agent needs --endpoint URL, or --pull/],
  ] as const) {
    const { exitCode, stdout, stderr } = await io.run(argv);
    assert.equal(exitCode, 2, argv.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message);
  }
});

test("the admin key of the data folder is sent to a server on this machine, and to no other", async () => {
  fake.on(agents.list, page);
  assert.equal((await io.run(["agents", "list", "--url", fake.baseUrl])).exitCode, 0);
  const sent: (string | null)[] = [];
  const spy: typeof fetch = async (_, init) => {
    sent.push(new Headers(init?.headers).get("authorization"));
    throw new TypeError("fetch failed", { cause: new Error("not now") });
  };
  const before = globalThis.fetch;
  globalThis.fetch = spy;
  try {
    const elsewhere = io.run(["agents", "list", "--url", "https://ops.example"]);
    for (let retry = 0; retry < 2; retry += 1) await io.clock.reach(1_000_000);
    assert.equal((await elsewhere).exitCode, 1);
  } finally {
    globalThis.fetch = before;
  }
  assert.deepEqual(sent, [null, null, null]);
});

test("address and key: the option, then our variable, then the original's; an empty variable is none", async () => {
  fake.on(agents.list, page);
  const nowhere = "http://127.0.0.1:9";
  for (const [argv, env] of [
    [["--url", fake.baseUrl, "--key", ADMIN], { OPSPAWN_URL: nowhere, OPSPAWN_API_KEY: "other" }],
    [[], { OPSPAWN_URL: fake.baseUrl, OPSCORE_API_URL: nowhere, OPSPAWN_API_KEY: ADMIN, OPSCORE_API_KEY: "other" }],
    [[], { OPSPAWN_URL: "", OPSCORE_API_URL: `${fake.baseUrl}/v1`, OPSPAWN_API_KEY: "", OPSCORE_API_KEY: ADMIN }],
    [["--data", ".opspawn"], { OPSPAWN_URL: fake.baseUrl, OPSPAWN_DATA: "/nowhere" }],
    [[], { OPSPAWN_URL: fake.baseUrl, OPSPAWN_CWD: io.folder }],
    [[], { OPSPAWN_URL: fake.baseUrl, INIT_CWD: io.folder, npm_lifecycle_event: "opspawn" }],
  ] as const) {
    const { exitCode, stderr } = await io.run(["agents", "list", ...argv], { env });
    assert.equal(exitCode, 0, `${JSON.stringify([argv, env])} ${stderr}`);
  }
});

test("exit codes tell a refused key, a missing thing and another failure apart, each with what to do", async () => {
  const url = ["--url", fake.baseUrl];
  const refuse = (status: number, code: string, detail: string) =>
    fake.on(sessions.get, new FakeFailure(status, { detail, code, requestId: "req_9" }));
  refuse(401, "unauthenticated", "The key is not known");
  let ran = await io.run(["sessions", "get", "s1", ...url]);
  assert.equal(ran.exitCode, 4);
  assert.match(ran.stderr, /The key from .*admin\.key is not valid: The key is not known\n.*admin\.key/);
  refuse(403, "forbidden", "Needs sessions:read");
  ran = await io.run(["sessions", "get", "s1", ...url]);
  assert.equal(ran.exitCode, 4);
  assert.match(ran.stderr, /may not do this: Needs sessions:read\nUse another key/);
  refuse(404, "session_not_found", "There is no session s1");
  ran = await io.run(["sessions", "get", "s1", ...url]);
  assert.equal(ran.exitCode, 5);
  assert.equal(
    ran.stderr,
    "Error: There is no session s1\nList sessions to see the known ids.\n(404 session_not_found, request req_9)\n",
  );
  const detail = [{ loc: ["body", "workflow", "tasks", 0], msg: "Unknown field `x`", type: "unknown_field" }];
  fake.on(sessions.start, new FakeFailure(422, { detail, code: "workflow_invalid" }));
  ran = await io.run(["run", "w", ...url]);
  assert.equal(ran.exitCode, 1);
  assert.match(
    ran.stderr,
    /refused the request:\n {2}body\.workflow\.tasks\.0: Unknown field `x`\n\(422 workflow_invalid, request req_fake\)\n$/,
  );
});

test("without any key the message names the places that were looked at", async () => {
  const open = await FakeServer.start();
  open.on(sessions.list, new FakeFailure(401, { detail: "Send a key", code: "unauthenticated" }));
  const { exitCode, stderr } = await io.run(["sessions", "list", "--url", open.baseUrl, "--data", "elsewhere"]);
  await open.close();
  assert.equal(exitCode, 4);
  assert.match(
    stderr,
    /none was found \(looked at --key, OPSPAWN_API_KEY, .*elsewhere.admin\.key\)\.\nSet OPSPAWN_API_KEY/,
  );
});

test("text of the server cannot move the cursor or change colours of the terminal", async () => {
  const evil = "\u001b[31mred\u001b]0;title\u0007\u009b2J\r\nnew\u202eline\u0001";
  const row = sampleAgent({ agentName: evil, stateDetails: { evil }, capabilities: [evil], state: evil });
  fake.on(agents.list, { items: [row], nextCursor: null }).on(agents.get, row);
  const obeyed = /[[\p{Cc}--\n]\u202e]/v;
  for (const format of ["table", "json", "yaml", "jsonl"]) {
    for (const command of [["list"], ["get", "a1"]]) {
      const ran = await io.run(["agents", ...command, "--url", fake.baseUrl, "-o", format]);
      assert.equal(ran.exitCode, 0);
      assert.match(ran.stdout, /red/);
      assert.doesNotMatch(ran.stdout, obeyed, `${command} ${format}`);
    }
  }
  fake.on(agents.get, new FakeFailure(404, { detail: `No agent ${evil}`, code: "agent_not_found" }));
  assert.doesNotMatch((await io.run(["agents", "get", "a1", "--url", fake.baseUrl])).stderr, obeyed);
});

test("colour is for terminals, and not for those who do not want it", async () => {
  fake.on(agents.list, page);
  const argv = ["agents", "list", "--url", fake.baseUrl];
  const hasColour = async (isTerminal: boolean, env: Record<string, string>) =>
    (await io.run(argv, { isTerminal, env })).stdout.includes("\u001b[");
  assert.equal(await hasColour(true, {}), true);
  assert.equal(await hasColour(false, {}), false);
  assert.equal(await hasColour(true, { NO_COLOR: "1" }), false);
  assert.equal(await hasColour(true, { TERM: "dumb" }), false);
});
