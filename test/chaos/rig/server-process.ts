import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FOLLOW_PARENT, parentMark } from "../../../scripts/launch/follow-parent.mjs";

const MAIN = join(import.meta.dirname, "../../../packages/ops-core/src/main.ts");
const PLANT = join(import.meta.dirname, "../plant.ts");
const READY_POLL_MS = 10;
const READY_WITHIN_MS = 60_000;

export interface ServerOptions {
  /** Gets `data`, the server's log, and the compiled code. */
  readonly folder: string;
  readonly port: number;
  /** The name of a planted bug. */
  readonly planted?: string | undefined;
  /** A program that starts the server and watches it, with its arguments. */
  readonly under?: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The product as `opspawn serve` starts it, over and over on the same data and port. */
export class ServerProcess {
  readonly options: ServerOptions;
  readonly origin: string;
  #child: ChildProcess | null = null;
  #exit: Promise<Exit> = Promise.resolve({ code: 0, signal: null });

  constructor(options: ServerOptions) {
    this.options = options;
    this.origin = `http://127.0.0.1:${options.port}`;
  }

  get dataFolder(): string {
    return join(this.options.folder, "data");
  }

  /** Resolves when the present process has ended. */
  get exit(): Promise<Exit> {
    return this.#exit;
  }

  /** Writes the compiled code to disk, where later starts find it: a process that is killed would never do so. */
  warmUp(): void {
    spawnSync(process.execPath, [...this.#command(), "--help"], { env: this.#environment(), stdio: "ignore" });
  }

  /** @param failpoint where the process shall kill itself, as OPSPAWN_FAILPOINT says it */
  start(failpoint?: string): void {
    const log = openSync(join(this.options.folder, "server.log"), "a");
    const port = String(this.options.port);
    const args = [...this.#command(), "--port", port, "--data", this.dataFolder, "--log-level", "warn"];
    const [program = "", ...rest] = [...(this.options.under ?? []), process.execPath, ...args];
    const env = { ...this.#environment(), ...(failpoint === undefined ? {} : { OPSPAWN_FAILPOINT: failpoint }) };
    const child = spawn(program, rest, { cwd: this.options.folder, env, stdio: ["ignore", log, log, "ipc"] });
    closeSync(log);
    this.#child = child;
    this.#exit = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  }

  /** Milliseconds of `Date.now()` at which it took work; null when it ended before. */
  async ready(): Promise<number | null> {
    let isGone = false;
    void this.#exit.then(() => {
      isGone = true;
    });
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!isGone) {
      if (await this.#isReady()) return Date.now();
      if (Date.now() > deadline) throw new Error("the server did not become ready");
      await sleep(READY_POLL_MS);
    }
    return null;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Ends it as an operator would. */
  async stop(): Promise<Exit> {
    this.#child?.kill("SIGTERM");
    return this.#exit;
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.origin}/readyz`);
      await answer.body?.cancel();
      return answer.status === 200;
    } catch {
      // Nobody listens yet.
      return false;
    }
  }

  #command(): string[] {
    const plant = this.options.planted === undefined ? [] : ["--import", PLANT];
    return [FOLLOW_PARENT, "--conditions=opspawn-source", ...plant, MAIN];
  }

  #environment(): Record<string, string | undefined> {
    return {
      // So that no server stays behind when the rig is killed itself.
      ...parentMark(),
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(this.options.folder, "compiled"),
      OPSCORE_WEBHOOK_SECRET: "whsec_Y2hhb3MgaXMgYSBsYWRkZXI=",
      CHAOS_PLANTED: this.options.planted,
    };
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
