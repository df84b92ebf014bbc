import type { JsonValue } from "@opspawn/contract";
import type { Chance } from "../world/chance.ts";
import { type DrawLatency, drawFrom, type Latency } from "../world/latency.ts";
import { Reply } from "./reply.ts";
import type { Conduct } from "./scripted-host.ts";
import type { TestTask } from "./task.ts";

/** Does a task: returns its result, or a `reply`; what it throws is a task that failed. */
export type Handler = (task: TestTask) => JsonValue | Reply | undefined | Promise<JsonValue | Reply | undefined>;

/** How an agent or a tool behaves. */
export interface Script {
  /** Does each task; or what it answers one after the other. Default: the result null. */
  readonly handle?: Handler | readonly (JsonValue | Reply)[];
  /** How long a task takes, unless its reply says. Default: no time. */
  readonly takes?: Latency;
}

/** Plays a script. Chance is its own, so that others do not change what it draws. */
export class ScriptedConduct implements Conduct {
  readonly #name: string;
  readonly #handle: Script["handle"];
  readonly #draw: DrawLatency;
  readonly #chance: Chance;
  readonly #complain: (problem: Error) => void;
  #asked = 0;

  /** @throws RangeError for a `takes` that is none */
  constructor(name: string, script: Script, chance: Chance, complain: (problem: Error) => void) {
    this.#name = name;
    this.#handle = script.handle;
    this.#draw = drawFrom(script.takes ?? "0s");
    this.#chance = chance;
    this.#complain = complain;
  }

  async decide(task: TestTask): Promise<Reply> {
    const handle = this.#handle;
    this.#asked += 1;
    const given = typeof handle === "function" ? await handle(task) : this.#listed(handle, task);
    return given instanceof Reply ? given : new Reply({ kind: "result", result: given ?? null });
  }

  usualTime(): number {
    return this.#draw(this.#chance);
  }

  #listed(list: readonly (JsonValue | Reply)[] | undefined, { stepId, attempt }: TestTask): JsonValue | Reply {
    if (list === undefined) return null;
    const given = list[this.#asked - 1];
    if (given !== undefined) return given;
    const what = stepId === null ? "" : ` (step \`${stepId}\`, attempt ${attempt})`;
    const message = `\`${this.#name}\` was asked a ${ordinal(this.#asked)} time${what}; its script has ${list.length} answers. Add one, or give a function.`;
    this.#complain(new Error(message));
    return new Reply({ kind: "failure", message, code: "script_ended", retryable: false });
  }
}

function ordinal(count: number): string {
  const last = count % 100 > 10 && count % 100 < 14 ? 0 : count % 10;
  return `${count}${["th", "st", "nd", "rd"][last] ?? "th"}`;
}
