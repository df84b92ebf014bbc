import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LogFile } from "./log-file.ts";

export interface ServiceSpec {
  readonly name: string;
  /** Absolute path of a TypeScript file. */
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly log: LogFile;
  /** Says whether the process is ready for work; it is given what the process has told us over its channel. */
  readonly isReady: (told: readonly unknown[]) => Promise<boolean>;
  /** Milliseconds a stop may take before it is forced. */
  readonly stopWithin: number;
  /** Hears when the process ended by itself and is started again, or is given up. */
  readonly onTrouble: (message: string) => void;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const READY_WITHIN = 30_000;
const LOOK_EVERY = 50;
const RESTARTS = 5;
/** Milliseconds a process must have lived for its restarts to be forgotten. */
const SETTLED_AFTER = 60_000;

/** Preloaded into each child: when this process is killed hard, its channel closes and the child stops by itself. */
const STOP_WITH_PARENT = new URL("../launch/stop-with-parent.mjs", import.meta.url).href;

/** A process of ours that shall run: started, watched, started again when it dies, and stopped with us. */
export class Service {
  readonly spec: ServiceSpec;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;

  constructor(spec: ServiceSpec) {
    this.spec = spec;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves with null once it is ready, or with how it ended instead. */
  async start(): Promise<Ending | null> {
    const child = this.#spawn();
    const ending = endOf(child);
    const told: unknown[] = [];
    child.on("message", (message) => told.push(message));
    let ended: Ending | undefined;
    void ending.then((how) => {
      ended = how;
    });
    const until = performance.now() + READY_WITHIN;
    while (ended === undefined && !(await this.spec.isReady(told))) {
      if (performance.now() > until) {
        await this.stop();
        return ended ?? { code: null, signal: null };
      }
      await wait(LOOK_EVERY);
    }
    if (ended !== undefined) return ended;
    void ending.then((how) => this.#revive(how));
    return null;
  }

  /** Asks it to stop, then makes it. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), this.spec.stopWithin);
    await gone;
    clearTimeout(timer);
  }

  kill(): void {
    this.#stopping = true;
    this.#child?.kill("SIGKILL");
  }

  #spawn(): ChildProcess {
    const { script, args, cwd, log } = this.spec;
    const output = log.open();
    const child = spawn(
      process.execPath,
      ["--conditions=opspawn-source", "--import", STOP_WITH_PARENT, script, ...args],
      {
        cwd,
        env: environment(),
        stdio: ["ignore", output, output, "ipc"],
        // A process group of its own: Ctrl-C in the terminal shall reach us alone, so that we stop things in order.
        detached: true,
      },
    );
    child.on("error", () => undefined);
    log.close(output);
    this.#child = child;
    return child;
  }

  async #revive({ code, signal }: Ending): Promise<void> {
    if (this.#stopping) return;
    const { name, onTrouble } = this.spec;
    const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
    if (++this.#restarts > RESTARTS) return onTrouble(`${name} ${how}, again and again; it is not started any more`);
    onTrouble(`${name} ${how}; starting it again`);
    await wait(100 * 2 ** this.#restarts);
    if (this.#stopping) return;
    const child = this.#spawn();
    const began = performance.now();
    const ending = await endOf(child);
    if (performance.now() - began > SETTLED_AFTER) this.#restarts = 0;
    await this.#revive(ending);
  }
}

function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    // There will be no exit when there was no start.
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Settings of servers that the person runs elsewhere must not leak into this one. */
function environment(): NodeJS.ProcessEnv {
  const foreign = /^(?:OPSPAWN_|OPSCORE_|AGENTKIT_)|^(?:HOST|PORT|LOG_LEVEL|DATABASE_URL)$/;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  // Tells the preload whose end it shall watch for.
  return { ...Object.fromEntries(own), OPSPAWN_LAUNCHER: String(process.pid) };
}

/** The path of a file in this repository. */
export function repositoryPath(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}
