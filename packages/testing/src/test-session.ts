import type { JsonValue, SessionDetailView } from "@opspawn/contract";

type Step = SessionDetailView["steps"][number];

/** A session of a test, as it was when time stood still last. */
export class TestSession {
  #view: SessionDetailView;

  constructor(view: SessionDetailView) {
    this.#view = view;
  }

  get id(): string {
    return this.#view.sessionId;
  }

  get status(): SessionDetailView["status"] {
    return this.#view.status;
  }

  get result(): JsonValue {
    return this.#view.result;
  }

  get error(): SessionDetailView["error"] {
    return this.#view.error;
  }

  /** Why it waits, if it does. */
  get blocked(): SessionDetailView["blocked"] {
    return this.#view.blocked;
  }

  get steps(): readonly Step[] {
    return this.#view.steps;
  }

  /** All of it, as the API answers it. */
  get view(): SessionDetailView {
    return this.#view;
  }

  get hasEnded(): boolean {
    return this.#view.endedAt !== null;
  }

  /** One of its steps. @throws Error when there is none of this id */
  step(stepId: string): Step {
    const step = this.#view.steps.find((each) => each.stepId === stepId);
    if (step !== undefined) return step;
    const known = this.#view.steps.map((each) => `\`${each.stepId}\``).join(", ");
    throw new Error(`There is no step \`${stepId}\` in workflow \`${this.#view.workflowId}\`. Its steps: ${known}.`);
  }

  /** The platform tells it how it is now. */
  see(view: SessionDetailView): void {
    this.#view = view;
  }
}
