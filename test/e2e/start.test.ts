import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const START = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));

const NOTES = `# Notes

The fencing token protects a task. A second token never does. See [the plan](plan.md) and [here](#notes).

## Empty
`;

/** A start command under test, with what it has written so far. */
class Start {
  readonly child: ChildProcess;
  output = "";
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], cwd: string) {
    this.child = spawn(process.execPath, ["--conditions=opspawn-source", START, ...args], {
      cwd,
      env: { ...process.env, OPSPAWN_CWD: cwd },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString("utf8");
        for (const look of this.#watchers) look();
      });
    }
    this.child.on("close", () => {
      for (const look of this.#watchers) look();
    });
  }

  /** Resolves with the match once the output holds it; rejects when the command ended without. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.output);
        const ended = this.child.exitCode !== null || this.child.signalCode !== null;
        if (match === null && !ended) return;
        this.#watchers.delete(look);
        if (match !== null) resolve(match);
        else reject(new Error(`It ended before ${pattern}:\n${this.output}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  async exit(): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** The processes it started. */
  get processes(): number[] {
    return [...this.output.matchAll(/process (\d+)/g)].map((match) => Number(match[1]));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("npm start", { concurrency: false }, () => {
  let folder: string;
  let starts: Start[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "start-"));
    starts = [];
    await writeFile(path.join(folder, "notes.md"), NOTES);
  });

  afterEach(async () => {
    for (const start of starts) start.child.kill("SIGTERM");
    await Promise.all(starts.map((start) => start.exit()));
    await rm(folder, { recursive: true, maxRetries: 20, retryDelay: 500 });
  });

  function start(...args: string[]): Start {
    const started = new Start(["--data", "data", "--port", "0", "--file", "notes.md", ...args], folder);
    starts.push(started);
    return started;
  }

  async function waitUntilGone(pids: readonly number[]): Promise<void> {
    // Bounded by the test's own time limit.
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  test("--once runs the workflow, prints the report, and ends with everything it started; and so the second time", {
    timeout: 120_000,
  }, async () => {
    for (const round of ["first", "second"]) {
      const run = start("--once");
      assert.equal(await run.exit(), 0, `${round}: ${run.output}`);
      for (const step of ["split", "links", "readability", "key-phrases", "structure", "report"]) {
        assert.match(run.output, new RegExp(`s {2}${step} +done by [a-z-]+ in \\d`), round);
      }
      assert.match(run.output, /# Report on the documents\n\n1 file, 5 lines/);
      assert.match(run.output, /- `notes\.md:3` to `plan\.md`: there is no such file/);
      assert.match(run.output, /- `notes\.md:5` has nothing under its heading: "Empty"/);
      assert.ok(
        run.output.split("\n").every((line) => line.length <= 80),
        run.output,
      );
      assert.equal(run.processes.length, 4);
      await waitUntilGone(run.processes);
    }
  });

  test("after a kill -9 of everything in mid-workflow, the next start finishes what was open, then runs anew", {
    timeout: 120_000,
  }, async () => {
    const killed = start("--pace", "2");
    const [, session] = await killed.until(/Session ([0-9a-f-]{36})[\s\S]*readability +started/);
    for (const pid of killed.processes) process.kill(pid, "SIGKILL");
    killed.child.kill("SIGKILL");
    await killed.exit();

    const next = start("--once");
    assert.equal(await next.exit(), 0, next.output);
    assert.ok(next.output.includes(`Resuming session ${session}`), next.output);
    assert.equal(next.output.split("the session is completed").length, 3, next.output);
  });

  test("killed by itself, it leaves nothing behind", { timeout: 60_000 }, async () => {
    const run = start("--pace", "1");
    await run.until(/links +started/);
    run.child.kill("SIGKILL");
    await run.exit();
    await waitUntilGone(run.processes);
  });

  test("a platform that dies meanwhile is started again, and the workflow goes on", { timeout: 120_000 }, async () => {
    const run = start("--once", "--pace", "2");
    await run.until(/links +started/);
    process.kill(run.processes[0] ?? assert.fail(), "SIGKILL");
    assert.equal(await run.exit(), 0, run.output);
    assert.match(run.output, /! the platform was ended by SIGKILL; starting it again/);
  });

  test("it stays up until it is stopped, and says where to look", { timeout: 60_000 }, async () => {
    const run = start();
    const [, url] = await run.until(/API +(http:\S+)\/docs/);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    await run.until(/stop +Ctrl-C/);
    run.child.kill("SIGINT");
    assert.equal(await run.exit(), 0);
    await waitUntilGone(run.processes);
  });

  test("a second start on the same data says who is in the way", { timeout: 60_000 }, async () => {
    await start().until(/Everything stays up/);
    const second = start("--once");
    assert.equal(await second.exit(), 1);
    assert.match(second.output, /Another server is using .*data.*\n.*--data FOLDER/);
  });

  test("a port that is asked for and taken is named", { timeout: 60_000 }, async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const run = start("--once", "--port", String(port));
    assert.equal(await run.exit(), 1);
    assert.match(run.output, new RegExp(`Port ${port} is taken`));
    other.close();
  });

  test("a file that cannot be read is told before anything is started", { timeout: 30_000 }, async () => {
    const run = start("--file", "gone.md");
    assert.equal(await run.exit(), 2);
    assert.equal(run.output, `There is no file ${path.join(folder, "gone.md")}.\n`);
  });

  test("a platform that cannot start is explained by the end of its log", { timeout: 60_000 }, async () => {
    await mkdir(path.join(folder, "data"));
    await writeFile(path.join(folder, "data", "opspawn.db"), "this is no database, ".repeat(100));
    const run = start("--once");
    assert.equal(await run.exit(), 1);
    assert.match(run.output, /The platform did not start.*platform\.log:\n {2}.*\n[\s\S]*--data FOLDER/);
    assert.match(await readFile(path.join(folder, "data", "logs", "platform.log"), "utf8"), /cannot start/);
  });
});
