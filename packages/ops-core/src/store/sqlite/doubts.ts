import { type JsonValue, stringifyJson } from "@opspawn/contract";
import { effectKey } from "../../domain/effects/hash.ts";
import { readStored } from "../../domain/stored-json.ts";
import { DEFAULT_TASK_DEADLINE } from "../../domain/tasks/retry.ts";
import type { Requirement, TaskError } from "../../domain/tasks/task.ts";
import type { OnUncertain, PlanStep, Question, RetryPolicy } from "../../domain/workflows/plan.ts";
import { compensationParameters, verificationParameters } from "../../domain/workflows/step-values.ts";
import { addTask } from "./add-task.ts";
import { addApproval } from "./approvals.ts";
import type { FailedAttempt } from "./doubt-row.ts";
import { doubtSentence, openEffects } from "./effect-row.ts";
import { requirementOf } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import { scopeOf } from "./step-scope.ts";
import { IN_DOUBT } from "./stored-task.ts";
import { changeTask, newTaskRow, SETTLES, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** A task in doubt with its step, and what that says about it. */
export interface Doubtful {
  readonly session: SessionUnit;
  readonly step: PlanStep;
  readonly policy: OnUncertain;
}

/** The policy of a task's step; undefined where it stands alone, or undoes something. */
export function doubtful(tx: Tx, task: TaskRow): Doubtful | undefined {
  const session = task.session_id === null ? undefined : SessionUnit.load(tx, task.session_id);
  const step = session?.plan.steps[task.step ?? -1];
  if (session === undefined || step === undefined || step.onUncertain === null) return undefined;
  return { session, step, policy: step.onUncertain };
}

/**
 * An attempt has died with open effects, and something is to tell what came of them: the task waits for that.
 * @throws OpspawnError when what finds out, or undoes, cannot be given its parameters
 */
export function beginDoubt(tx: Tx, task: TaskRow, doubt: Doubtful, outcome: FailedAttempt): void {
  const { session, step, policy } = doubt;
  // That may fail; then nothing has been written yet.
  const helps = helpOf(tx, task, doubt);
  const effects = openEffects(tx, task.id).map(({ effect_id }) => effect_id);
  tx.run(
    "insert into doubts (task_id, attempt, policy, since, outcome) values (?, ?, ?, ?, ?)",
    task.id,
    task.attempts,
    policy.kind,
    tx.now,
    JSON.stringify(outcome),
  );
  changeTask(tx, task, {
    status: "pending",
    held: IN_DOUBT,
    used: task.used + 1,
    error: JSON.stringify(outcome.error),
  });
  taskEvent(tx, task, "task.uncertain", { policy: policy.kind, effects, error: { ...outcome.error } });
  switch (policy.kind) {
    case "ask":
      ask(tx, task, { session, step }, policy.question, outcome.error);
      break;
    default:
      if (helps === null) throw new Error(`policy ${policy.kind} asks nobody`);
      help(tx, task, { session, step }, helps);
  }
}

/** Who finds out, or undoes; what is to be found out is among the parameters. */
function helpOf(tx: Tx, task: TaskRow, { session, step, policy }: Doubtful): Help | null {
  const scope = () => scopeOf(tx, session, { step, part: task.part });
  if (policy.kind === "verify") {
    const given = { ...verificationParameters(step, scope()), effects: shownEffects(tx, task) };
    const requirement: Requirement = { kind: "tool", tool: policy.check.tool };
    return { ...policy.check, verb: "check", parameters: stringifyJson(given), requirement };
  }
  if (policy.kind !== "compensate" || step.compensation === null) return null;
  const parameters = stringifyJson(compensationParameters(step, scope()));
  const requirement = requirementOf(step.compensation, session.row.agent_id, step.id);
  return { ...step.compensation, verb: "undo", parameters, requirement };
}

function shownEffects(tx: Tx, task: TaskRow): JsonValue {
  return openEffects(tx, task.id).map((effect) => ({
    effectId: effect.effect_id,
    idempotencyKey: effectKey(task.id, effect.effect_id),
    kind: effect.kind,
    description: effect.description,
    payload: readStored(effect.payload),
    attempt: effect.attempt,
  }));
}

/** Asks a person, who has until the end of the question to answer. */
export function ask(
  tx: Tx,
  task: TaskRow,
  { session, step }: Pick<Doubtful, "session" | "step">,
  question: Question,
  error: TaskError,
): void {
  const message = question.message ?? `${doubtSentence(openEffects(tx, task.id))} Did it happen?`;
  const details = { effects: shownEffects(tx, task), attempt: task.attempts, error: { ...error } };
  const { timeout, remindEvery } = question;
  const asked = { message, details, timeout, remindEvery, from: tx.now, taskId: task.id };
  const id = addApproval(tx, session, step, asked);
  tx.run(
    "update doubts set policy = 'ask', approval_id = ?, helper_id = null where task_id = ? and ended_at is null",
    id,
    task.id,
  );
}

interface Help {
  readonly verb: "check" | "undo";
  readonly requirement: Requirement;
  readonly retry: RetryPolicy;
  readonly timeout: number | null;
  readonly deadline?: number | null;
  readonly parameters: string;
}

/** A task that belongs to no step settles what another one has done. */
function help(tx: Tx, task: TaskRow, { session, step }: Pick<Doubtful, "session" | "step">, helps: Help): void {
  const row = newTaskRow(
    {
      id: `task_${tx.context.ids.uuid()}`,
      name: `${helps.verb} ${step.name}`,
      sessionId: session.id,
      step: null,
      stepId: null,
      undoes: SETTLES,
      requirement: helps.requirement,
      orderKey: session.nextOrderKey(tx.now, step.priority),
      readyAt: tx.now,
      deadline: tx.now + (helps.deadline ?? DEFAULT_TASK_DEADLINE),
      policy: { retry: helps.retry, fallback: null, timeout: helps.timeout },
      parameters: helps.parameters,
    },
    tx.now,
  );
  tx.run("update doubts set helper_id = ? where task_id = ? and ended_at is null", row.id, task.id);
  addTask(tx, row);
}
