import type { EffectEntry } from "../../checker/entries.ts";
import { LogTail } from "../logs/read-log.ts";
import { effectLog, WITNESSES } from "./agent-processes.ts";

/** Follows the effect logs, to say how many attempts were out when the server died. */
export class OpenAttempts {
  readonly #tails: readonly LogTail<EffectEntry>[];
  /** By token: when the attempt first reached its agent, and when its outcome was accepted or it was given up there. */
  readonly #seen = new Map<string, { readonly task: string; readonly from: number; to: number }>();

  constructor(folder: string) {
    this.#tails = WITNESSES.map((name) => new LogTail<EffectEntry>(effectLog(folder, name)));
  }

  /** Attempts that had reached an agent at this moment and had no accepted outcome. */
  at(moment: number): number {
    for (const tail of this.#tails) for (const entry of tail.read()) this.#take(entry);
    let open = 0;
    for (const [token, { from, to }] of this.#seen) {
      if (from <= moment && to > moment) open += 1;
      else if (to <= moment) this.#seen.delete(token);
    }
    return open;
  }

  #take(entry: EffectEntry): void {
    if (entry.type === "delivery") {
      const { token, task, at: from } = entry;
      if (!this.#seen.has(token)) this.#seen.set(token, { task, from, to: Number.POSITIVE_INFINITY });
    } else if (entry.type === "answered" || entry.type === "reported" || entry.type === "word") {
      this.#close(entry.token, entry.at);
    } else if (entry.type === "stopped") {
      for (const [token, { task }] of this.#seen) if (task === entry.key) this.#close(token, entry.at);
    }
  }

  #close(token: string, at: number): void {
    const known = this.#seen.get(token);
    if (known !== undefined) known.to = Math.min(known.to, at);
  }
}
