import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { KINDS } from "../workload.ts";

const AGENT = join(import.meta.dirname, "../agent.ts");
const RECEIVER = "receiver";

/** Who keeps an effect log. */
export const WITNESSES: readonly string[] = [...KINDS, RECEIVER];

export function effectLog(folder: string, name: string): string {
  return join(folder, `effects-${name}.log`);
}

interface Served {
  readonly url: string;
  readonly toolUrl?: string;
}

/** The agents and the receiver of webhooks: a process each, which outlive all servers. */
export class AgentProcesses {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  /** Those that ended before they were told to. */
  readonly ended: string[] = [];
  webhookUrl = "";
  /** The tool that knows what was paid. */
  bankUrl = "";
  #isStopping = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(origin: string): Promise<void> {
    const served = await Promise.all(WITNESSES.map((name) => this.#start(name, origin)));
    this.webhookUrl = served[WITNESSES.indexOf(RECEIVER)]?.url ?? "";
    this.bankUrl = served[WITNESSES.indexOf("payer")]?.toolUrl ?? "";
  }

  /** They write down what they know, and end. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.disconnect();
        await exited;
      }),
    );
  }

  async #start(name: string, origin: string): Promise<Served> {
    const args = [name, "--origin", origin, "--log", effectLog(this.#folder, name)];
    const child = fork(AGENT, args, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#children.push(child);
    child.once("exit", () => {
      if (!this.#isStopping) this.ended.push(name);
    });
    const failed = once(child, "exit").then(() => Promise.reject(new Error(`agent ${name} ended`)));
    const [served] = (await Promise.race([once(child, "message"), failed])) as [Served];
    failed.catch(() => undefined);
    return served;
  }
}
