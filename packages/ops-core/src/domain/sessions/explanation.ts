import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedSentence } from "../blocked-view.ts";
import type { Ports } from "../ports.ts";
import { because, explainTask } from "../tasks/explanation.ts";
import { needTask } from "../tasks/view.ts";
import type { WorkflowPlan } from "../workflows/plan.ts";
import type { SessionRecord, StepRecord } from "./session.ts";
import { hasEnded } from "./view.ts";
import { pausedBlock, waitingBlock } from "./waiting.ts";

/** A wide graph is explained by its first steps. */
const STEPS_MAX = 50;

export interface SessionExplanation {
  /** Why it is paused, else of the first step that waits, else of the first at work. */
  readonly blocked: Blocked | null;
  readonly sentences: readonly string[];
}

/** What a session waits for, step by step, evaluated now. */
export async function explainSession(ports: Ports, session: SessionRecord): Promise<SessionExplanation> {
  const { store, plans } = ports;
  const [plan, touched] = await Promise.all([plans.stored(session.planHash), store.sessions.steps(session.id)]);
  if (hasEnded(session)) return { blocked: null, sentences: await endSentences(ports, plan, session, touched) };
  const byIndex = new Map(touched.map((step) => [step.index, step]));
  const paused = session.pause === null ? null : pausedBlock(session.id, session.pause);
  const sentences = paused === null ? [] : [blockedSentence(paused)];
  let waiting = paused;
  let working: Blocked | null = null;
  const open = touched.filter((each) => each.status === "running" || each.status === "waiting");
  for (const step of open.slice(0, STEPS_MAX)) {
    const found = await explainStep(ports, plan, step);
    if (found.isWaiting) waiting ??= found.blocked;
    else working ??= found.blocked;
    sentences.push(...found.sentences);
  }
  sentences.push(...waitingSentences(plan, byIndex));
  return { blocked: waiting ?? working, sentences };
}

interface StepExplanation extends SessionExplanation {
  readonly isWaiting: boolean;
}

async function explainStep({ store }: Ports, plan: WorkflowPlan, step: StepRecord): Promise<StepExplanation> {
  const name = plan.steps[step.index]?.id ?? String(step.index);
  if (step.taskId === null || step.status === "waiting") return explainWithoutTask(name, step);
  const task = await needTask(store, step.taskId);
  const blocked = await store.tasks.why(task.id);
  const sentences = await explainTask(store, task, blocked);
  const named = sentences.map((sentence) => `Step \`${name}\` (task ${task.id}): ${sentence}`);
  return { blocked, sentences: named, isWaiting: task.status === "pending" };
}

function explainWithoutTask(name: string, step: StepRecord): StepExplanation {
  if (step.status === "waiting") {
    const blocked = waitingBlock(name, step);
    return { blocked, sentences: [blockedSentence(blocked)], isWaiting: true };
  }
  if (step.items !== null) {
    const { total, begun, open, failed } = step.items;
    const sentence = `Step \`${name}\`: ${begun} of ${total} items have begun, ${open} are open, ${failed} failed.`;
    return { blocked: null, sentences: [sentence], isWaiting: false };
  }
  const sentences = step.childId === null ? [] : [`Step \`${name}\` is session ${step.childId}.`];
  return { blocked: null, sentences, isWaiting: false };
}

/** Steps that have not begun, with what they wait for. */
function waitingSentences(plan: WorkflowPlan, touched: ReadonlyMap<number, StepRecord>): string[] {
  const statusOf = (index: number): string => touched.get(index)?.status ?? "pending";
  const waiting = plan.steps.filter((step) => statusOf(step.index) === "pending");
  const sentences = waiting.slice(0, STEPS_MAX).map((step) => {
    const open = step.dependsOn.filter((index) => ["pending", "running", "waiting"].includes(statusOf(index)));
    const names = open.slice(0, 10).map((index) => `\`${plan.steps[index]?.id ?? index}\``);
    return `Step \`${step.id}\` waits for ${names.join(", ")}${open.length > names.length ? " and others" : ""}.`;
  });
  const more = waiting.length - sentences.length;
  return more > 0 ? [...sentences, `${more} more steps have not begun.`] : sentences;
}

/** How it ended, and how each step did that failed. */
async function endSentences(
  ports: Ports,
  plan: WorkflowPlan,
  session: SessionRecord,
  touched: readonly StepRecord[],
): Promise<string[]> {
  const was = session.status === "cancelled" ? "was " : "";
  const at = formatTime(session.endedAt ?? session.updatedAt);
  const sentences = [`The session ${was}${session.status} at ${at}${because(session.error)}.`];
  for (const step of touched.filter((each) => each.status === "failed").slice(0, STEPS_MAX)) {
    sentences.push(...(await explainStep(ports, plan, step)).sentences);
  }
  return sentences;
}
