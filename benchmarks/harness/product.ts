import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Connections } from "./connections.ts";
import type { StatementCounts } from "./count-statements.ts";

const MAIN = join(import.meta.dirname, "../../packages/ops-core/src/main.ts");
const COUNT_STATEMENTS = join(import.meta.dirname, "count-statements.ts");
/** As `opspawn serve` starts it. */
const LARGE_PAGES = "--use-largepages=silent";
const LISTENING = /listening on (http:\S+?),/;

export interface ProductOptions {
  /** Gets a folder for the data and a file for the log. */
  readonly folder: string;
  /** Count statements, commits and fsyncs; what is watched so closely is not timed. */
  readonly isWatched?: boolean;
  /** Options of Node itself, such as for a profile. */
  readonly nodeOptions?: readonly string[];
  /** The data of a server that is gone. Default: new data. */
  readonly data?: string;
}

/** A server that runs as `opspawn serve` does, with its defaults, apart from a free port and its data folder. */
export class Product {
  readonly origin: string;
  readonly pid: number;
  readonly adminKey: string;
  readonly data: string;
  readonly #child: ChildProcess;
  readonly #trace: string | null;
  readonly #calls: Connections;

  private constructor(child: ChildProcess, trace: string | null, pid: number, address: Address) {
    this.origin = address.origin;
    this.adminKey = readFileSync(join(address.data, "admin.key"), "utf8").trim();
    this.data = address.data;
    this.pid = pid;
    this.#child = child;
    this.#trace = trace;
    this.#calls = new Connections(this.origin);
  }

  static async start({ folder, isWatched = false, nodeOptions = [], ...old }: ProductOptions): Promise<Product> {
    const home = mkdtempSync(join(folder, "server-"));
    const data = old.data ?? join(home, "data");
    const trace = isWatched && hasStrace() ? join(home, "system-calls") : null;
    const node = [process.execPath, LARGE_PAGES, ...(isWatched ? ["--import", COUNT_STATEMENTS] : []), ...nodeOptions];
    const command = [...node, "--conditions=opspawn-source", MAIN, "--port", "0", "--data", data];
    const [program = "", ...args] = trace === null ? command : [...straceTo(trace), ...command];
    const log = openSync(join(home, "server.log"), "w");
    const child = spawn(program, args, {
      // No settings but the defaults: neither the caller's variables nor a file in the caller's folder.
      cwd: home,
      env: { PATH: process.env.PATH },
      stdio: ["ignore", log, "pipe", ...(isWatched ? (["ipc"] as const) : [])],
    });
    closeSync(log);
    // A benchmark that fails leaves no server behind.
    process.once("exit", () => void child.kill("SIGKILL"));
    const origin = await addressOf(child);
    const pid = isWatched ? (await ask(child)).pid : (child.pid ?? 0);
    return new Product(child, trace, pid, { origin, data });
  }

  /** Calls the API as the administrator. @throws Error unless the answer is a success */
  async call<T>(method: "GET" | "POST", path: string, body?: object): Promise<T> {
    const headers = ["authorization", `Bearer ${this.adminKey}`, "content-type", "application/json"];
    const text = body === undefined ? null : JSON.stringify(body);
    const answer = await this.#calls.send({ method, path, headers, body: text });
    if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body) as T;
  }

  /** Only of a server that is watched. */
  counts(): Promise<StatementCounts> {
    return ask(this.#child);
  }

  /** fsyncs between two points in time (milliseconds of `Date.now()`); NaN when nobody counts them. */
  syncsBetween(from: number, to: number): number {
    if (this.#trace === null) return Number.NaN;
    const calls = readFileSync(this.#trace, "utf8").matchAll(/^\d+ +(\d+\.\d+) f(?:data)?sync\(/gm);
    return [...calls].map(([, seconds]) => Number(seconds) * 1_000).filter((at) => at > from && at <= to).length;
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#calls.close();
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, "exit");
    process.kill(this.pid, signal);
    await exited;
  }
}

interface Address {
  readonly origin: string;
  readonly data: string;
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const origin = LISTENING.exec(said)?.[1];
      if (origin !== undefined) resolve(origin);
    });
    child.once("exit", () => reject(new Error(`the server ended: ${said}`)));
  });
}

function ask(child: ChildProcess): Promise<StatementCounts> {
  return new Promise((resolve) => {
    const take = (message: object): void => {
      if (!("statements" in message)) return;
      child.off("message", take);
      resolve(message as StatementCounts);
    };
    child.on("message", take);
    child.send("counts");
  });
}

/** Stops the process only at the calls that are counted. */
function straceTo(file: string): string[] {
  return ["strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-e", "trace=fsync,fdatasync", "-o", file];
}

function hasStrace(): boolean {
  return spawnSync("strace", ["-V"]).status === 0;
}
