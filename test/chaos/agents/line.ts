import type { Ticket } from "../../checker/entries.ts";
import { type Answer, type Caller, isPassing, NoAnswer, pause } from "../http-calls.ts";

/** An agent's way to the server, under the tokens of its attempts. */
export class Line {
  readonly #server: Caller;

  constructor(server: Caller) {
    this.#server = server;
  }

  /** Says it again and again until it is answered. */
  async say(path: string, body: object): Promise<{ readonly answer: Answer; readonly tries: number }> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.trySaying(path, body);
      if (answer !== null) return { answer, tries };
      await pause(tries);
    }
  }

  /** Null when nothing came of it. */
  async trySaying(path: string, body: object): Promise<Answer | null> {
    try {
      const answer = await this.#server.send({ method: "POST", path, body });
      return isPassing(answer.status) ? null : answer;
    } catch (error) {
      if (error instanceof NoAnswer) return null;
      throw error;
    }
  }
}

export function taskPath({ task }: Pick<Ticket, "task">, rest: string): string {
  return `/v1/opscore/tasks/${task}/${rest}`;
}

/** A refusal that tells that the attempt was cancelled. */
export function tellsOfCancel(answer: Answer | null): boolean {
  return answer?.status === 409 && typeof answer.body.cancellation === "object" && answer.body.cancellation !== null;
}
