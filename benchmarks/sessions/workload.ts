/** The steps, in order; each is the capability of an agent of its own. */
export const STEPS = ["outline", "draft", "review"] as const;

export const WORKFLOW_ID = "bench-three-steps";

/** Three tasks in list order; each receives the result before it as `previous`. */
export const WORKFLOW = {
  id: WORKFLOW_ID,
  name: "Three steps",
  version: "1",
  tasks: STEPS.map((step) => ({ taskId: step, name: `Do the ${step}`, agentCapability: step })),
};

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(5);

export interface Work {
  readonly trail: string;
  readonly text: string;
}

/** What a session starts with; `n` makes each different. */
export function inputOf(n: number): Work {
  return { trail: String(n), text: TEXT };
}

/** What an agent makes of its task. */
export function resultOf(step: string, payload: { readonly previous?: Work } & Partial<Work>): Work {
  const { trail, text } = payload.previous ?? payload;
  return { trail: `${trail}>${step}`, text: text ?? "" };
}

/** Whether a finished session's result is that of session `n`, through every step once and in order. */
export function isResultOf(n: number, result: unknown): boolean {
  const { trail, text, ...rest } = (result ?? {}) as Partial<Work>;
  return trail === `${n}>${STEPS.join(">")}` && text === TEXT && Object.keys(rest).length === 0;
}
