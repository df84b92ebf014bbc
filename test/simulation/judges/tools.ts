import type { Rows } from "../../checker/evidence.ts";
import type { History } from "../../checker/history.ts";
import { groupBy } from "../../checker/invariant.ts";
import type { ToolAnswer, Toolbox } from "../toolbox.ts";

interface AttemptRow {
  readonly task_id: string;
  readonly n: number;
  readonly token: string;
  readonly status: string;
  readonly evidence: string | null;
  readonly error: string | null;
  readonly created_at: number;
  readonly ended_at: number;
  readonly timeout_at: number;
  readonly attempts: number;
  readonly lane: string;
}

const CALLS = `select a.*, t.attempts, t.lane from attempts a join tasks t on t.id = a.task_id
  where t.lane like 'tool:%' order by a.task_id, a.n`;

/** What a call came to is what its tool said, or that it said nothing in its time. */
export function* toolsOf(db: Rows, _history: History, { answers }: Toolbox): Iterable<string> {
  const said = groupBy(answers, ({ token }) => token);
  for (const attempt of db.all<AttemptRow>(CALLS)) {
    const name = `call ${attempt.n} of ${attempt.lane} for ${attempt.task_id} (${attempt.status})`;
    for (const finding of callOf(attempt, said.get(attempt.token) ?? [])) yield `${name} ${finding}`;
  }
  yield* db.texts(`select 'attempt ' || task_id || '/' || n || ' keeps a slot of ' || tool || ' in the end' from draining_slots
    where tool is not null`);
}

function* callOf(attempt: AttemptRow, said: readonly ToolAnswer[]): Iterable<string> {
  const { status, lane } = attempt;
  if (said.some(({ tool }) => lane !== `tool:${tool}`)) yield "reached another tool";
  const error = JSON.parse(attempt.error ?? "{}") as { readonly code?: string };
  if (status === "succeeded" && !said.some(isGood)) yield "was answered by nobody";
  if (status === "timed_out" && attempt.ended_at < attempt.timeout_at) yield "had not its whole time";
  if (status !== "failed") return;
  const { code = "" } = error;
  const isRight = said.some((answer) => codesOf(answer).includes(code)) || code === "undelivered";
  if (!isRight && code !== "output_invalid") yield `failed of ${code}, and said ${said.map(({ status }) => status)}`;
  const isFinal = code === "http_404" || code === "answer_unreadable";
  if (isFinal && attempt.n < attempt.attempts) yield `failed of ${code}, and was made again`;
}

function isGood({ status, body }: ToolAnswer): boolean {
  return status === 200 && !body.includes("error") && !body.startsWith("{");
}

function codesOf({ status, body }: ToolAnswer): readonly string[] {
  // It is at the call, and is to be asked again.
  if (status === 409 || status === 425) return [];
  if (status !== 200) return [`http_${status}`];
  if (body.includes("error")) return ["tool_error"];
  return body.startsWith("{") ? ["answer_unreadable"] : [];
}
