import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../../../packages/ops-core/src/main.ts", import.meta.url));
const STOP_WITH_PARENT = new URL("../../../scripts/launch/stop-with-parent.mjs", import.meta.url).href;

type Told = Readonly<Record<string, unknown>>;

/** A process of the test, with what it told over its channel. */
export class TestProcess {
  readonly #child: ChildProcess;
  readonly #told: Told[] = [];
  readonly #watchers = new Set<() => void>();
  #output = "";

  constructor(script: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    this.#child = fork(script, args, {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      execArgv: ["--conditions=opspawn-source", "--import", STOP_WITH_PARENT],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString("utf8")).slice(-20_000);
      });
    }
    this.#child.on("message", (message) => {
      this.#told.push(message as Told);
      this.#look();
    });
    this.#child.on("close", () => this.#look());
  }

  /** The value of the first message with this key, once it was told. */
  told(key: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const message = this.#told.find((each) => key in each);
        if (message === undefined && !this.#ended) return;
        this.#watchers.delete(look);
        if (message !== undefined) resolve(message[key]);
        else reject(new Error(`It ended before it told "${key}":\n${this.#output}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    if (this.#ended) return;
    const gone = once(this.#child, "close");
    this.#child.kill(signal);
    await gone;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

export function startServer(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): TestProcess {
  return new TestProcess(SERVER, args, cwd, env);
}

/** @param script `agent`, which uses our library, or `plain-agent` */
export function startAgent(
  script: "agent" | "plain-agent",
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): TestProcess {
  return new TestProcess(fileURLToPath(new URL(`${script}.ts`, import.meta.url)), args, cwd, env);
}
