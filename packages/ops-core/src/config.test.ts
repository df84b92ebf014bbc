import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Config, ConfigError, type Environment, loadConfig } from "./config.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Environment;
  readonly files?: Readonly<Record<string, string>>;
}

function load({ argv = [], env = {}, files = {} }: Given): Config {
  const cwd = mkdtempSync(join(tmpdir(), "opspawn-config-"));
  folders.push(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return loadConfig({ argv, env, cwd });
}

function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return assert.fail("the settings were accepted");
}

function assertRefused(given: Given, ...parts: RegExp[]): void {
  const problems = problemsOf(given);
  for (const part of parts)
    assert.ok(
      problems.some((problem) => part.test(problem)),
      `${part} in ${problems}`,
    );
}

test("without any setting the server serves this machine on port 8000 and keeps its data in .opspawn", () => {
  const config = load({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8000);
  assert.match(config.data ?? "", /[/\\]\.opspawn$/);
  assert.equal(config.isLoopback, true);
  assert.deepEqual(config.roles, ["api", "engine", "worker", "agentkit"]);
  assert.equal(config.operatorKey, null);
  assert.deepEqual(config.open, []);
  assert.equal(config.reregister, "never");
});

test("a failpoint is read with its hit, which is the first unless another is named", () => {
  assert.equal(load({}).failpoint, null);
  const armed = (text: string) => load({ env: { OPSPAWN_FAILPOINT: text } }).failpoint;
  assert.deepEqual(armed("store.before-commit"), { name: "store.before-commit", hit: 1 });
  assert.deepEqual(armed("engine.after-send:17"), { name: "engine.after-send", hit: 17 });
  for (const text of ["nowhere", "store.before-commit:0", "store.before-commit:x", "store.before-commit:1:2"]) {
    assert.throws(() => armed(text), /OPSPAWN_FAILPOINT: .* is no failpoint/, text);
  }
});

test("the command line beats the environment, which beats .env, which beats opspawn.yaml", () => {
  const files = {
    ".env": "OPSPAWN_PORT=7003\nOPSPAWN_HOST=127.0.0.3\nLOG_LEVEL=error",
    "opspawn.yaml": "server: { port: 7004, host: 127.0.0.4, logLevel: debug, maxWaits: 7 }",
  };
  const env = { OPSPAWN_PORT: "7002", OPSPAWN_HOST: "127.0.0.2" };
  const config = load({ argv: ["--port", "7001"], env, files });
  assert.equal(config.port, 7001);
  assert.equal(config.host, "127.0.0.2");
  assert.equal(config.logLevel, "error");
  assert.equal(config.maxWaits, 7);
});

test("our own variables beat the common ones, and an empty variable counts as not set", () => {
  assert.equal(load({ env: { PORT: "9000" } }).port, 9000);
  assert.equal(load({ env: { PORT: "9000", OPSPAWN_PORT: "9001" } }).port, 9001);
  assert.equal(load({ env: { PORT: "9000", OPSPAWN_PORT: "" } }).port, 9000);
  assert.equal(load({ env: { OPSCORE_API_KEY: "" } }).operatorKey, null);
});

test("the originals' names keep their meaning", () => {
  const config = load({
    env: {
      OPSCORE_API_KEY: "test-api-key",
      OPSCORE_WEBHOOK_SECRET: "s3cret",
      OPSCORE_WEBHOOK_URL: "http://opscore:8000/v1/opscore/internal/agent/notify",
      LOG_LEVEL: "WARNING",
      MOCK_TOOL_ENDPOINT_URL: "http://mock_tool:9001/invoke",
    },
  });
  assert.equal(config.operatorKey?.reveal(), "test-api-key");
  assert.equal(config.webhookSecret?.reveal(), "s3cret");
  assert.equal(config.webhookUrl, "http://opscore:8000/v1/opscore/internal/agent/notify");
  assert.equal(config.logLevel, "warn");
  assert.equal(config.mockToolUrl, "http://mock_tool:9001/invoke");
});

test("an AgentKit elsewhere takes that role away, with or without /v1 in its address", () => {
  const config = load({ env: { AGENTKIT_API_URL: "http://agentkit:8001/v1" } });
  assert.equal(config.agentkitUrl, "http://agentkit:8001");
  assert.deepEqual(config.roles, ["api", "engine", "worker"]);
});

test("an AgentKit address that is our own is no other service", () => {
  const config = load({ env: { AGENTKIT_API_URL: "http://localhost:8000/v1" } });
  assert.equal(config.agentkitUrl, null);
  assert.ok(config.roles.includes("agentkit"));
});

test("roles and open groups are lists of known words", () => {
  assert.deepEqual(load({ argv: ["--role", "api,Engine"] }).roles, ["api", "engine"]);
  assert.deepEqual(load({ env: { OPSPAWN_OPEN: "agentkit, tasks" } }).open, ["agentkit", "tasks"]);
  assertRefused({ argv: ["--role", "apis"] }, /--role: "apis" is no role; use any of api,engine/);
  assertRefused({ env: { OPSPAWN_OPEN: "all" } }, /OPSPAWN_OPEN: "all" names no group/);
});

test("each bad setting is named with its rule and what to do, all at once", () => {
  const env = {
    OPSPAWN_PORT: "80000",
    OPSPAWN_HOST: "a b",
    LOG_LEVEL: "loud",
    OPSPAWN_PUBLIC_URL: "ftp://x",
    OPSPAWN_REREGISTER: "always",
    OPSPAWN_MAX_WAITS: "0",
  };
  const problems = problemsOf({ env });
  assert.equal(problems.length, 6);
  for (const name of Object.keys(env))
    assert.ok(
      problems.some((problem) => problem.startsWith(`${name}: "`)),
      name,
    );
});

test("a bad secret is not repeated", () => {
  const [problem] = problemsOf({ env: { OPSCORE_WEBHOOK_SECRET: "whsec_***planted***" } });
  assert.match(problem ?? "", /^OPSCORE_WEBHOOK_SECRET: the value is no webhook secret/);
  assert.ok(!problem?.includes("planted"));
});

test("storage that is not ours is refused with what to use instead", () => {
  assertRefused({ env: { OPSCORE_STORAGE_TYPE: "Redis" } }, /OPSCORE_STORAGE_TYPE: "redis".*OPSPAWN_DATA/);
  assertRefused({ env: { DATABASE_URL: "postgresql+asyncpg://u:p@h/d" } }, /^DATABASE_URL: (?!.*u:p).*OPSPAWN_DATA/);
  assertRefused({ env: { AGENTKIT_LTM_PROVIDER: "chroma" } }, /AGENTKIT_LTM_PROVIDER: Chroma/);
  assertRefused({ env: { AGENTKIT_LTM_CHROMA_PATH: "./c" } }, /AGENTKIT_LTM_CHROMA_PATH: Chroma/);
  assert.equal(load({ env: { OPSCORE_STORAGE_TYPE: "inmemory" } }).port, 8000);
});

test("the key that everybody knows is accepted on a loopback address only", () => {
  assertRefused({ env: { OPSCORE_API_KEY: "test-api-key", OPSPAWN_HOST: "0.0.0.0" } }, /OPSCORE_API_KEY.*OPSPAWN_HOST/);
  assert.equal(load({ env: { OPSCORE_API_KEY: "my-own", OPSPAWN_HOST: "0.0.0.0" } }).isLoopback, false);
});

test("what counts as loopback is the address, in each of its forms", () => {
  for (const host of ["127.0.0.1", "127.3.2.1", "localhost", "::1", "[::1]"]) {
    assert.equal(load({ env: { OPSPAWN_HOST: host } }).isLoopback, true, host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.example.com", "localhost.example.com"]) {
    assert.equal(load({ env: { OPSPAWN_HOST: host } }).isLoopback, false, host);
  }
});

test("an unknown option is refused", () => {
  assertRefused({ argv: ["--prot", "1"] }, /--prot/);
});

test("a configuration file that was named must be there", () => {
  assertRefused({ argv: ["--config", "mine.yaml"] }, /no configuration file .*mine\.yaml/);
});

test("opspawn.yaml may hold tools; unknown keys and wrong shapes are refused by name", () => {
  const weather = { name: "weather", endpoint: "http://tools.example.com/weather" };
  const read = (tool: object) => load({ files: { "opspawn.yaml": JSON.stringify({ tools: [tool] }) } }).tools;
  assert.deepEqual(read(weather), [{ ...weather, description: "", parameters: {}, maxConcurrency: 10 }]);
  assert.equal(read({ ...weather, maxConcurrency: 3 })[0]?.maxConcurrency, 3);
  const refuse = (text: string, ...parts: RegExp[]) => assertRefused({ files: { "opspawn.yaml": text } }, ...parts);
  refuse("server: { prot: 1 }", /`server\.prot` is no setting of this file; did you mean "port"\?/);
  refuse("server: { apiKey: x }", /`server\.apiKey` is no setting/);
  refuse("server: { host: { a: 1 } }", /`server\.host` must be/);
  refuse("server: 5", /`server` must hold settings/);
  refuse("serve: {}", /`serve` is no section.*; did you mean "server"\?/);
  refuse("mcpServers: {}", /`mcpServers` is not supported by this version yet/);
  refuse("tools: {}", /`tools` must be a list/);
  refuse(
    "tools: [5, { name: a }, { endpoint: 'http://h' }, { name: x, endpoint: 'http://h', kind: y }]",
    /tools\[0\]/,
    /tools\[1\]\.endpoint/,
    /tools\[2\]\.name/,
    /tools\[3\]\.kind/,
  );
  refuse("tools: [{ name: x, endpoint: 'http://h', description: 5 }]", /description must be a text/);
  for (const calls of ["0", "1001", "1.5", "'2'"]) {
    refuse(`tools: [{ name: x, endpoint: 'http://h', maxConcurrency: ${calls} }]`, /maxConcurrency` must be a whole/);
  }
  refuse("a: b: c", /no valid YAML/);
  refuse("- 1", /must hold the sections/);
  refuse(`x: "${"y".repeat(300_000)}"`, /larger than/);
});

test("a YAML bomb is refused", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
    .split("")
    .map((name, at) => `${name}: &${name} [${`*${"abcdefghij"[at]},`.repeat(9)}*a]`)
    .join("\n")}`;
  assertRefused({ files: { "opspawn.yaml": bomb } }, /no valid YAML/);
});
