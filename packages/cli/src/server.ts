import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { Clock } from "@opspawn/sdk";
import type { Environment } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

export interface ServerStart {
  /** Flags of the server. */
  readonly args: readonly string[];
  /** Where it looks for `.env` and `opspawn.yaml`. */
  readonly folder: string;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Hears once where the server is reached, as soon as it is. */
  readonly onListening?: ((url: string) => void) | undefined;
}

/** Runs the server until it ends; resolves with its exit code, 128 + n when signal n ended it. */
export type StartServer = (start: ServerStart) => Promise<number>;

// npm, the launcher and the terminal may all deliver the same Ctrl-C; the server shall see it once.
const SAME_SIGNAL = 1_000_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Node's machine code on large pages where Linux has them: a tenth less processor time. Elsewhere no difference. */
const LARGE_PAGES = "--use-largepages=silent";

/**
 * The server is a program of its own: this package speaks to it over HTTP only, and may be installed without it. So it
 * is started, not imported.
 */
export function startServer(start: ServerStart, entry: string = serverEntry()): Promise<number> {
  const conditions = process.execArgv.filter((arg) => arg.startsWith("--conditions"));
  const preload = import.meta.resolve("#stop-with-parent");
  const child = spawn(process.execPath, [LARGE_PAGES, ...conditions, "--import", preload, entry, ...start.args], {
    cwd: start.folder,
    env: start.environment,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  child.on("message", (message) => {
    if (typeof message === "object" && message !== null && "listening" in message) {
      start.onListening?.(String(message.listening));
    }
  });
  const last = new Map<NodeJS.Signals, number>();
  const forward = (signal: NodeJS.Signals): void => {
    // In a terminal, Ctrl-C reaches the whole process group: the server has it already.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    const now = start.clock.now();
    if (now - (last.get(signal) ?? -Infinity) < SAME_SIGNAL) return;
    last.set(signal, now);
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, forward);
  });
}

function serverEntry(): string {
  try {
    return fileURLToPath(import.meta.resolve("@opspawn/ops-core/main"));
  } catch {
    throw new CliError(EXIT.failure, "The server is not installed here.", "Install it: npm install @opspawn/ops-core");
  }
}
