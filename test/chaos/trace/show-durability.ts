import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Caller } from "../http-calls.ts";
import { freePort, ServerProcess } from "../rig/server-process.ts";
import { runLoad } from "./load.ts";
import { checkOrder, type OrderReport } from "./order.ts";
import { parseTrace } from "./parse.ts";

const CALLS = "fsync,fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg";
/** A page of the database and more: whatever is stored stands within one. */
const TEXT_BYTES = 4_400;
const FLUSH_WITHIN_MS = 30_000;

export interface DurabilityOptions {
  readonly folder: string;
  readonly sessions: number;
  readonly planted?: string;
}

export interface DurabilityReport extends OrderReport {
  /** Groups that were synced. */
  readonly syncs: number;
}

/** Whether system calls can be watched here; if not, why. */
export function whyNoTrace(): string | null {
  const { status, error, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]);
  if (error !== undefined) return "strace is not installed";
  return status === 0 ? null : `strace cannot watch processes here: ${stderr.toString().trim()}`;
}

/** Runs a server whose system calls are written down, and looks whether anything left it before it was on the disk. */
export async function showDurability({ folder, sessions, planted }: DurabilityOptions): Promise<DurabilityReport> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "system-calls");
  // As a grandchild, so that the process started here is the server itself.
  const under = ["strace", "-D", "-f", "-tt", "-yy", "-s", String(TEXT_BYTES), "-e", `trace=${CALLS}`, "-o", file];
  const server = new ServerProcess({ folder, port: await freePort(), planted, under });
  const caller = new Caller(server.origin);
  try {
    server.warmUp();
    server.start();
    if ((await server.ready()) === null) throw new Error("the server did not start; see server.log");
    const key = readFileSync(join(server.dataFolder, "admin.key"), "utf8").trim();
    const promises = await runLoad({ server: caller, key, sessions, lanes: 20 });
    await server.stop();
    const calls = parseTrace(await wholeTrace(file));
    return { ...checkOrder(calls, promises), syncs: calls.filter(({ kind }) => kind === "log-sync").length };
  } finally {
    server.kill();
    await caller.close();
  }
}

/** The tracer writes its last lines after the server has gone. */
async function wholeTrace(file: string): Promise<string> {
  const deadline = Date.now() + FLUSH_WITHIN_MS;
  for (;;) {
    const trace = readFileSync(file, "latin1");
    if (/\+\+\+ (exited|killed)[^\n]*\n$/.test(trace)) return trace;
    if (Date.now() > deadline) throw new Error("the trace has no end");
    await sleep(50);
  }
}
