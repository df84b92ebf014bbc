import type { JsonValue } from "@opspawn/contract";
import { Reply } from "../agents/reply.ts";
import type { Conduct } from "../agents/scripted-host.ts";
import type { TestTask } from "../agents/task.ts";
import type { Chance } from "../world/chance.ts";
import { type DrawLatency, drawFrom } from "../world/latency.ts";
import type { AgentSpec, ToolSpec } from "./spec.ts";

/** What a step's task results in, where nothing goes wrong. */
export type ResultOf = (stepId: string | null) => JsonValue;

/** Behaves as it was described. Those of one description share their chance: with more of them the same work comes up. */
export class DescribedConduct implements Conduct {
  readonly #spec: AgentSpec | ToolSpec;
  readonly #draw: DrawLatency;
  readonly #chance: Chance;
  readonly #resultOf: ResultOf;

  constructor(spec: AgentSpec | ToolSpec, chance: Chance, resultOf: ResultOf) {
    this.#spec = spec;
    this.#draw = drawFrom(spec.latency);
    this.#chance = chance;
    this.#resultOf = resultOf;
  }

  async decide({ stepId }: TestTask): Promise<Reply> {
    const { errors, permanentErrors, silence } = this.#spec;
    const drawn = this.#chance.next();
    if (drawn < errors) return new Reply({ kind: "failure", message: "a described error", code: "described_error" });
    if (drawn < errors + permanentErrors) {
      const message = "a described permanent error";
      return new Reply({ kind: "failure", message, code: "described_permanent_error", retryable: false });
    }
    if (drawn < errors + permanentErrors + silence) return new Reply({ kind: "silence" });
    return new Reply({ kind: "result", result: this.#resultOf(stepId) });
  }

  usualTime(): number {
    return this.#draw(this.#chance);
  }
}
