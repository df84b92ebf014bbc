import { parseTime } from "@opspawn/contract";
import { hasExpression } from "../expressions/segments.ts";
import { readTemplate } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import { SIGNAL_NAME_LENGTH_MAX, WAIT_MAX, WAIT_MIN } from "./limits.ts";
import type { Wait } from "./plan.ts";
import { readReserve } from "./reserve.ts";
import type { StepContext } from "./step-definition.ts";
import { onlyOne } from "./target-definition.ts";
import { NOTHING, type Work } from "./work.ts";

const WAITS = ["for", "until", "signal"] as const;
const OF_SIGNALS = ["timeout", "onTimeout"] as const;
const RANGE = { min: WAIT_MIN, max: WAIT_MAX };

/** What a time looks like, for error messages. */
export const TIME_HINT = "a time with its offset, such as 2026-01-31T09:00:00Z";

/** Reads `wait`: for a while, until a time, or for a signal. */
export function readWait(step: Fields, context: StepContext): Work {
  const wait = step.inside("wait", "{ for: 10m }");
  if (wait === undefined) return NOTHING;
  wait.closed([...WAITS, ...OF_SIGNALS]);
  onlyOne(wait, WAITS);
  const kind = WAITS.find((name) => wait.value(name) !== undefined);
  if (kind === undefined) step.refuse("wait", "missing", `must have one of ${WAITS.join(", ")}`);
  if (kind === "signal") return readSignal(wait);
  for (const name of OF_SIGNALS) {
    if (kind !== undefined && wait.value(name) !== undefined) {
      wait.refuse(name, "conflict", `belongs to a signal; waiting \`${kind}\` always ends`);
    }
  }
  if (kind === "until") return readUntil(wait, context);
  const duration = wait.duration("for", RANGE);
  return duration === undefined ? NOTHING : { ...NOTHING, wait: { kind: "for", duration } };
}

function readUntil(fields: Fields, { issues, allowance }: StepContext): Work {
  const parametersAt = ["wait", "until"];
  const wait: Wait = { kind: "until" };
  const time = fields.id("until", Number.POSITIVE_INFINITY);
  if (time === undefined) return { ...NOTHING, wait, parametersAt };
  if (!hasExpression(time) && parseTime(time) === null) fields.refuse("until", "wrong_time", `must be ${TIME_HINT}`);
  const template = readTemplate(time, fields.at("until"), issues, allowance);
  return { ...NOTHING, wait, parameters: time, parametersAt, template };
}

function readSignal(wait: Fields): Work {
  const signal = wait.literal("signal", SIGNAL_NAME_LENGTH_MAX) ?? "";
  const timeout = wait.duration("timeout", RANGE) ?? null;
  needTimeout(wait);
  return {
    ...NOTHING,
    wait: { kind: "signal", signal, timeout },
    reserveNames: readReserve(wait, "onTimeout", "expired"),
  };
}

/** A branch for a time that never comes would be a step that never runs. */
export function needTimeout(fields: Fields): void {
  if (fields.value("onTimeout") === undefined || fields.value("timeout") !== undefined) return;
  fields.refuse("onTimeout", "conflict", "needs a `timeout`; without one it never happens");
}
