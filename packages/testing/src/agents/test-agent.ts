import type { JsonObject } from "@opspawn/contract";
import { micro } from "../world/latency.ts";
import type { Script } from "./script.ts";
import type { ScriptedHost } from "./scripted-host.ts";
import type { TestTask } from "./task.ts";

export interface AgentScript extends Script {
  readonly capabilities?: readonly string[];
  /** Tasks it takes at once. Default: 1. */
  readonly concurrency?: number;
  /** Bounds an attempt where the step names no `timeout`. Default: `2m`. */
  readonly timeout?: string;
}

export interface ToolScript extends Script {
  /** Calls it takes at once. Default: 10. */
  readonly concurrency?: number;
  /** JSON Schema of its arguments. */
  readonly parameters?: JsonObject;
}

/** An agent or a tool of a test: what it was asked, and what else may befall it. */
export class TestHost {
  readonly name: string;
  /** What it was given, in order. */
  readonly tasks: TestTask[] = [];
  readonly #host: ScriptedHost;

  constructor(host: ScriptedHost) {
    this.name = host.name;
    this.#host = host;
    host.onTask.push((task) => this.tasks.push(task));
  }

  /** Tasks it has in hand. */
  get open(): number {
    return this.#host.meter.count;
  }

  /** It dies with all that it has in hand. @param back how long until it is there again; default: it stays dead */
  die({ back }: { readonly back?: string } = {}): void {
    this.#host.die(back === undefined ? null : micro(back, "back: "));
  }

  /** It is there again, and remembers nothing. */
  revive(): void {
    this.#host.revive();
  }
}
