import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../blocked.ts";
import { blockedSentence } from "../blocked-view.ts";
import type { Ports } from "../ports.ts";
import type { Store } from "../store.ts";
import { because, explainTask } from "../tasks/explanation.ts";
import type { TaskRecord } from "../tasks/task.ts";
import { needTask } from "../tasks/view.ts";
import type { WorkflowPlan } from "../workflows/plan.ts";
import type { SessionRecord, StepRecord } from "./session.ts";
import { hasEnded } from "./view.ts";
import { pausedBlock, waitingBlock } from "./waiting.ts";

/** A wide graph is explained by its first steps. */
const STEPS_MAX = 50;
/** Tasks among which one is looked for that shows what the others wait for. */
const ITEMS_LOOKED_AT = 20;

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
  const paused = session.pause === null ? null : pausedBlock(session.id, session.pause);
  const sentences = paused === null ? [] : [blockedSentence(paused)];
  if (session.compensation === "running") {
    const undoing = await explainUndoing(ports, session);
    return { blocked: paused ?? undoing.blocked, sentences: [...sentences, ...undoing.sentences] };
  }
  const view: View = { session, plan, byIndex: new Map(touched.map((step) => [step.index, step])) };
  let waiting = paused;
  let working: Blocked | null = null;
  for (const step of touched.filter(isOpen).slice(0, STEPS_MAX)) {
    const found = await explainStep(ports, view, step);
    if (found.isWaiting) waiting ??= found.blocked;
    else working ??= found.blocked;
    sentences.push(...found.sentences);
  }
  sentences.push(...waitingSentences(view));
  return { blocked: waiting ?? working, sentences };
}

/** A session with what is known of its steps. */
interface View {
  readonly session: SessionRecord;
  readonly plan: WorkflowPlan;
  readonly byIndex: ReadonlyMap<number, StepRecord>;
}

interface StepExplanation extends SessionExplanation {
  readonly isWaiting: boolean;
}

function isOpen({ status }: StepRecord): boolean {
  return status === "running" || status === "waiting";
}

function nameOf(plan: WorkflowPlan, index: number): string {
  return `\`${plan.steps[index]?.id ?? index}\``;
}

async function explainStep(ports: Ports, view: View, step: StepRecord): Promise<StepExplanation> {
  const { store } = ports;
  const name = nameOf(view.plan, step.index);
  const quiet = { blocked: null, isWaiting: false };
  if (step.status === "waiting") {
    const blocked = waitingBlock(view.plan.steps[step.index]?.id ?? String(step.index), step);
    return { blocked, sentences: [blockedSentence(blocked)], isWaiting: true };
  }
  const standIn = standInOf(view, step);
  if (standIn !== null) {
    const sentence = `Step ${name} failed${because(step.error)}; ${standIn} stands in for it.`;
    return { ...quiet, sentences: [sentence] };
  }
  if (step.items !== null) return explainItems(ports, view, step, step.items);
  if (step.childId !== null && isOpen(step)) return explainChild(store, name, step.childId);
  if (step.taskId !== null) return explainOneTask(store, name, await needTask(store, step.taskId));
  return { ...quiet, sentences: isOpen(step) ? [] : [`Step ${name} failed${because(step.error)}.`] };
}

/** The step that is at work instead of this one, by name. */
function standInOf({ plan, byIndex }: View, step: StepRecord): string | null {
  const fallback = plan.steps[step.index]?.reserves.fallback ?? null;
  const standIn = fallback === null ? undefined : byIndex.get(fallback);
  return standIn !== undefined && isOpen(standIn) && isOpen(step) ? nameOf(plan, standIn.index) : null;
}

async function explainOneTask(store: Store, name: string, task: TaskRecord): Promise<StepExplanation> {
  const blocked = await store.tasks.why(task.id);
  const sentences = await explainTask(store, task, blocked);
  const named = sentences.map((sentence) => `Step ${name} (task ${task.id}): ${sentence}`);
  return { blocked, sentences: named, isWaiting: task.status === "pending" };
}

/** How far a list is, and what the items wait for that have no agent. */
async function explainItems(
  { store }: Ports,
  { session, plan }: View,
  step: StepRecord,
  { total, begun, open, failed }: NonNullable<StepRecord["items"]>,
): Promise<StepExplanation> {
  const name = nameOf(plan, step.index);
  const sentence = `Step ${name}: ${begun} of ${total} items have begun, ${open} are open, ${failed} failed.`;
  const { items } = await store.tasks.list({ limit: ITEMS_LOOKED_AT }, { session: session.id, status: "pending" });
  const waiting = items.findLast(({ stepId }) => stepId === plan.steps[step.index]?.id);
  if (!isOpen(step) || waiting === undefined) return { blocked: null, sentences: [sentence], isWaiting: false };
  const found = await explainOneTask(store, name, waiting);
  return { ...found, sentences: [sentence, ...found.sentences] };
}

async function explainChild(store: Store, name: string, childId: string): Promise<StepExplanation> {
  const child = await store.sessions.get(childId);
  const blocked = child?.blocked ?? null;
  const why = blocked === null ? "." : `: ${blockedSentence(blocked)}`;
  const sentence = `Step ${name} is session ${childId}, which is ${child?.status ?? "gone"}${why}`;
  return { blocked, sentences: [sentence], isWaiting: child?.status === "waiting" };
}

/** What was done is undone one after the other. */
async function explainUndoing({ store }: Ports, session: SessionRecord): Promise<SessionExplanation> {
  const { items } = await store.tasks.list({ limit: ITEMS_LOOKED_AT }, { session: session.id });
  const task = items.find(({ endedAt }) => endedAt === null);
  const names = session.failedSteps.slice(0, 10).map((stepId) => `\`${stepId}\``);
  const isStopping = session.blocked?.reason === "waiting_for_stop";
  const failed = `The session has failed${names.length === 0 ? "" : ` at ${names.join(", ")}`}, and undoes what it did.`;
  if (isStopping && session.blocked !== null) {
    return { blocked: session.blocked, sentences: [failed, blockedSentence(session.blocked)] };
  }
  if (task === undefined) return { blocked: null, sentences: [failed] };
  const { blocked, sentences } = await explainOneTask(store, `\`${task.stepId}\``, task);
  return { blocked, sentences: [failed, ...sentences.map((sentence) => sentence.replace(/^Step/, "Undoing step"))] };
}

/** Steps that have not begun, with what they wait for. */
function waitingSentences({ plan, byIndex }: View): string[] {
  const statusOf = (index: number): string => byIndex.get(index)?.status ?? "pending";
  const waiting = plan.steps.filter((step) => statusOf(step.index) === "pending");
  const sentences = waiting.slice(0, STEPS_MAX).map(({ index, dependsOn, reserveOf }) => {
    const name = `Step ${nameOf(plan, index)}`;
    if (reserveOf !== null) return `${name} is kept in reserve for ${nameOf(plan, reserveOf.step)}.`;
    const open = dependsOn.filter((each) => ["pending", "running", "waiting"].includes(statusOf(each)));
    if (open.length === 0) return `${name} will not begin: the session has failed.`;
    const names = open.slice(0, 10).map((each) => nameOf(plan, each));
    return `${name} waits for ${names.join(", ")}${open.length > names.length ? " and others" : ""}.`;
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
  const view: View = { session, plan, byIndex: new Map(touched.map((step) => [step.index, step])) };
  const sentences = [`The session ${was}${session.status} at ${at}${because(session.error)}.`];
  for (const step of touched.filter((each) => each.status === "failed").slice(0, STEPS_MAX)) {
    sentences.push(...(await explainStep(ports, view, step)).sentences);
  }
  return sentences;
}
