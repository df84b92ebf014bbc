import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "@opspawn/sdk";
import { FakeIo } from "./fake-io.ts";
import { startServer } from "./server.ts";

let io: FakeIo;

beforeEach(() => {
  io = new FakeIo();
});

afterEach(() => io.remove());

/** A server that does what the test says, and where it stands and with what. */
function fakeServer(body: string): string {
  return io.file("server.mjs", `import { writeFileSync } from "node:fs";\n${body}\n`);
}

const start = () => ({ args: ["--port", "1"], folder: io.folder, environment: process.env, clock: systemClock });

/** Waits for a file that another process writes. */
async function appeared(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
}

test("a server runs where the caller stands, with its flags; its exit code is ours", async () => {
  const entry = fakeServer(
    'process.exitCode = process.argv[2] === "--port" && process.cwd() === process.env.EXPECTED ? 7 : 1;',
  );
  const { folder, args, clock } = start();
  // The system's folder for temporary files may be a link.
  const environment = { ...process.env, EXPECTED: realpathSync(folder) };
  assert.equal(await startServer({ folder, args, environment, clock }, entry), 7);
});

test("a server tells where it listens", async () => {
  const entry = fakeServer('process.send({ listening: "http://127.0.0.1:4711" }, () => process.exit(0));');
  const urls: string[] = [];
  await startServer({ ...start(), onListening: (url) => urls.push(url) }, entry);
  assert.deepEqual(urls, ["http://127.0.0.1:4711"]);
});

test("a server that a signal ended counts as shells count it", async () => {
  const entry = fakeServer("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);");
  assert.equal(await startServer(start(), entry), 137);
});

test("a signal is passed on, so that the server can end its work", async () => {
  const entry = fakeServer(`
    process.on("SIGTERM", () => process.exit(5));
    setInterval(() => {}, 1000);
    writeFileSync("ready", "");`);
  const exit = startServer(start(), entry);
  await appeared(join(io.folder, "ready"));
  process.kill(process.pid, "SIGTERM");
  assert.equal(await exit, 5);
});

test("a server does not stay behind when the command that started it is killed hard", async () => {
  const entry = fakeServer(`
    process.on("SIGTERM", () => { writeFileSync("ended", ""); process.exit(0); });
    setInterval(() => {}, 1000);
    writeFileSync("ready", "");`);
  const module = JSON.stringify(new URL("./server.ts", import.meta.url).href);
  const script = io.file(
    "parent.mjs",
    `const { startServer } = await import(${module});
    await startServer({ args: [], folder: process.argv[2], environment: process.env, clock: { now: () => 0 } }, process.argv[3]);`,
  );
  const parent = spawn(process.execPath, ["--conditions=opspawn-source", script, io.folder, entry], {
    stdio: "ignore",
  });
  await appeared(join(io.folder, "ready"));
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await appeared(join(io.folder, "ended"));
});

test("the server's entry is found in this repository", () => {
  assert.match(fileURLToPath(import.meta.resolve("@opspawn/ops-core/main")), /ops-core.src.main\.ts$/);
});
