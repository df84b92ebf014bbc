import { beginning, isJsonObject, type JsonObject, stringifyJson } from "@opspawn/contract";
import type { HttpResponse } from "../http-client.ts";
import { readRefusal, rejected } from "../tasks/answer.ts";
import type { AttemptOutcome } from "../tasks/task.ts";
import { readBody } from "./invoke.ts";

const MAX_MESSAGE = 1_000;

/**
 * Reads a tool's answer to the call of a task. Its JSON is the result as it stands; what a synchronous call takes for
 * a failure is one here too. An empty 2xx is a result of nothing: the call was done, and there was nothing to say.
 * @param now microseconds, for a `retry-after` date
 */
export function readToolAnswer(response: HttpResponse, now: number): AttemptOutcome {
  const { status, body } = response;
  if (status < 200 || status > 299) return readRefusal("tool", response, now);
  if (body.length === 0 && !response.truncated) return { type: "succeeded", result: null, evidence: "answer" };
  const read = readBody(response);
  if (read.kind === "unreadable") {
    // The call was done: another one would do it again and bring the same.
    return rejected("answer_unreadable", "The tool's answer is no JSON that can be taken, or too large.");
  }
  if (!isJsonObject(read.data) || read.data.status !== "error") {
    return { type: "succeeded", result: stringifyJson(read.data), evidence: "answer" };
  }
  const error = { code: "tool_error", message: messageOf(read.data) };
  return { type: "failed", reason: "agent_error", error, evidence: "answer" };
}

/** `error_message` is where the originals' tools say what went wrong. */
function messageOf({ error_message: said }: JsonObject): string {
  if (said === undefined || said === null || said === "") return "The tool reported an error.";
  return beginning(typeof said === "string" ? said : stringifyJson(said), MAX_MESSAGE);
}
