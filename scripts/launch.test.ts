import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import { discardUnfinished, fetchNode, isNewEnough } from "./launch/node-runtime.mjs";

/** Stands in for npm: notes each call, and can fail or never end. `ci` installs what the lock file in its folder names. */
const FAKE_NPM = `
import fs from "node:fs";
import path from "node:path";
const note = (text) => fs.appendFileSync(process.env.FAKE_NPM_LOG, text + "\\n");
note(process.argv[2]);
process.on("SIGTERM", () => {
  note("stopped");
  process.exit(1);
});
if (process.env.FAKE_NPM === "fail") {
  console.error('npm warn Unknown user config "x"\\nnpm error no registry');
  process.exit(1);
}
for (const name of Object.keys(JSON.parse(fs.readFileSync("package-lock.json", "utf8")).packages)) {
  if (name !== "") fs.mkdirSync(path.join(name, "bin"), { recursive: true });
  if (name !== "") fs.writeFileSync(path.join(name, "bin", "node"), "");
}
if (process.env.FAKE_NPM === "hang") setInterval(() => {}, 1000);
`;

/** What \`start\` runs: shows what it was given, and then does what it is told. */
const TARGET = `
const { OPSPAWN_CWD, NODE_OPTIONS } = process.env;
const [order] = process.argv.slice(2);
process.on("SIGTERM", () => process.exit(7));
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), OPSPAWN_CWD, NODE_OPTIONS, pid: process.pid }));
if (order === "exit") process.exit(5);
if (order === "stay") setInterval(() => {}, 1000);
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let root: string;
let npmLog: string;
let children: ChildProcess[];

beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "opspawn-launch-")));
  npmLog = path.join(root, "npm.log");
  children = [];
  mkdirSync(path.join(root, "scripts"));
  mkdirSync(path.join(root, "docs"));
  cpSync(path.join(import.meta.dirname, "launch.mjs"), path.join(root, "scripts/launch.mjs"));
  cpSync(path.join(import.meta.dirname, "launch"), path.join(root, "scripts/launch"), { recursive: true });
  writeFileSync(path.join(root, "npm-cli.js"), FAKE_NPM);
  writeFileSync(
    path.join(root, "package.json"),
    '{ "type": "module", "scripts": { "start": "node scripts/launch.mjs start" } }',
  );
  writeFileSync(path.join(root, "scripts/start.ts"), TARGET);
  writeLock("1.0.0");
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

function writeLock(version: string): void {
  const packages = { "": {}, "node_modules/x": { version, integrity: "sha512-x" } };
  writeFileSync(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
}

/** As npm does at the end of an install. */
function vouchForDependencies(): void {
  mkdirSync(path.join(root, "node_modules"));
  cpSync(path.join(root, "package-lock.json"), path.join(root, "node_modules/.package-lock.json"));
}

function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): ChildProcess {
  const child = spawn(process.execPath, [path.join(root, "scripts/launch.mjs"), ...args], {
    cwd,
    env: { ...process.env, INIT_CWD: "", npm_execpath: path.join(root, "npm-cli.js"), FAKE_NPM_LOG: npmLog, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return child;
}

async function ended(child: ChildProcess): Promise<Ended> {
  assert.ok(child.stdout && child.stderr);
  const close = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await close;
  return { code, stdout, stderr };
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Ended> {
  return ended(launch(args, env, cwd));
}

function npmCalls(): string[] {
  return existsSync(npmLog) ? readFileSync(npmLog, "utf8").trim().split("\n") : [];
}

/** Waits for something another process does. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** @returns what the target wrote about itself, once it runs */
async function firstLine(child: ChildProcess): Promise<{ pid: number }> {
  assert.ok(child.stdout);
  const [chunk] = await once(child.stdout, "data");
  return JSON.parse(String(chunk));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the dependencies", () => {
  it("are installed by the first launch, and not again by the second", async () => {
    const first = await run(["start"]);
    assert.equal(first.code, 0);
    assert.match(first.stderr, /installing the dependencies/);
    const second = await run(["start"]);
    assert.equal(second.stderr, "");
    assert.equal(npmCalls().length, 1);
  });

  it("are installed again when the lock file changes", async () => {
    await run(["start"]);
    writeLock("1.0.1");
    await run(["start"]);
    assert.equal(npmCalls().length, 2);
  });

  it("are installed again after a launch was killed in the middle", async () => {
    const killed = launch(["start"], { FAKE_NPM: "hang" });
    await until(() => npmCalls().length === 1);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    assert.equal((await run(["start"])).code, 0);
    assert.deepEqual(npmCalls(), ["ci", "stopped", "ci"]);
  });

  it("are left alone when npm itself has installed them completely", async () => {
    vouchForDependencies();
    assert.equal((await run(["start"])).code, 0);
    assert.equal(npmCalls().length, 0);
  });

  it("are installed when what npm installed is of another version", async () => {
    vouchForDependencies();
    writeLock("1.0.1");
    await run(["start"]);
    assert.equal(npmCalls().length, 1);
  });

  it("are installed once by two launches at the same time", async () => {
    const [left, right] = await Promise.all([run(["start"]), run(["start"])]);
    assert.deepEqual([left.code, right.code], [0, 0]);
    assert.equal(npmCalls().length, 1);
  });

  it("that npm cannot install end the launch with npm's words and advice", async () => {
    const failed = await run(["start"], { FAKE_NPM: "fail" });
    assert.equal(failed.code, 1);
    assert.equal(failed.stdout, "");
    assert.match(failed.stderr, /npm error no registry/);
    assert.match(failed.stderr, /What to do/);
    assert.doesNotMatch(failed.stderr, /Unknown user config/);
    assert.equal((await run(["start"])).code, 0);
  });
});

describe("the target", () => {
  it("gets the arguments, the root as its folder, the caller's folder by name, and our source condition", async () => {
    const { stdout } = await run(["start", "--file", "a b.md"], {}, path.join(root, "docs"));
    const { pid: _, ...seen } = JSON.parse(stdout);
    assert.deepEqual(seen, {
      args: ["--file", "a b.md"],
      cwd: root,
      OPSPAWN_CWD: path.join(root, "docs"),
      NODE_OPTIONS: "--conditions=opspawn-source",
    });
  });

  it("learns from npm where the caller stands", async () => {
    const { stdout } = await run(["start"], { INIT_CWD: path.join(root, "docs") });
    assert.equal(JSON.parse(stdout).OPSPAWN_CWD, path.join(root, "docs"));
  });

  it("gives the launcher its exit code", async () => {
    assert.equal((await run(["start", "exit"])).code, 5);
  });

  it("is told to stop when the launcher is", async () => {
    const child = launch(["start", "stay"]);
    await firstLine(child);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 7);
  });

  it("stops when the launcher is killed hard", async () => {
    const child = launch(["start", "stay"]);
    const { pid } = await firstLine(child);
    child.kill("SIGKILL");
    await until(() => !isAlive(pid));
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`stops when the npm that started it gets ${signal}`, async () => {
      vouchForDependencies();
      const npm = spawn("npm", ["--silent", "start", "--", "stay"], { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
      children.push(npm);
      const { pid } = await firstLine(npm);
      npm.kill(signal);
      await until(() => !isAlive(pid));
    });
  }

  it("must have a name that is known", async () => {
    for (const name of ["", "nonsense", "toString"]) {
      const { code, stderr } = await run([name]);
      assert.equal(code, 2);
      assert.match(stderr, /Names: start, test/);
    }
  });
});

describe("Node", () => {
  const enough = { node: "24.21.0", sqlite: "3.53.4", hasUuidV7: true };

  it("is new enough from 24 on, with a sound SQLite and UUIDv7", () => {
    assert.equal(isNewEnough(enough), true);
    assert.equal(isNewEnough({ ...enough, node: "26.0.0" }), true);
    assert.equal(isNewEnough({ ...enough, node: "22.22.0" }), false);
    assert.equal(isNewEnough({ ...enough, sqlite: "3.51.2" }), false);
    assert.equal(isNewEnough({ ...enough, sqlite: undefined }), false);
    assert.equal(isNewEnough({ ...enough, hasUuidV7: false }), false);
  });

  /** In this process, which is Node 24 and would have no need to. */
  async function fetchWithFakeNpm(platform: string): Promise<string> {
    const before = { ...process.env };
    Object.assign(process.env, { npm_execpath: path.join(root, "npm-cli.js"), FAKE_NPM_LOG: npmLog });
    try {
      return await fetchNode(root, platform);
    } finally {
      process.env = before;
    }
  }

  it("is fetched into .cache, without a trace of the way there", async () => {
    const node = await fetchWithFakeNpm("linux-x64");
    assert.equal(path.relative(root, node), path.join(".cache", "node-24.21.0-linux-x64", "bin", "node"));
    assert.ok(existsSync(node));
    assert.deepEqual(readdirSync(path.join(root, ".cache")), ["node-24.21.0-linux-x64"]);
  });

  it("is asked for where npm has none", async () => {
    await assert.rejects(fetchWithFakeNpm("darwin-arm64"), /darwin-arm64 .*https:\/\/nodejs\.org/s);
    assert.equal(npmCalls().length, 0);
  });

  it("half fetched is thrown away", () => {
    mkdirSync(path.join(root, ".cache", "stage-1", "node_modules"), { recursive: true });
    discardUnfinished(root);
    assert.deepEqual(readdirSync(path.join(root, ".cache")), []);
  });
});
