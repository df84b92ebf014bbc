import type { Fields } from "./fields.ts";

/** Parts of the language that are designed but not built. They are refused, never ignored: a step without its `when` runs. */
const STEP_KINDS: readonly string[] = ["approval", "wait", "tool", "workflow", "forEach", "repeat"];
const SETTINGS: readonly string[] = ["when", "concurrency", "onItemError", "compensate", "onReject", "onTimeout"];

/** Fields that `refuseUnsupported` speaks about, so that nobody calls them unknown too. */
export const UNSUPPORTED_FIELDS: readonly string[] = [...STEP_KINDS, ...SETTINGS];

export function refuseUnsupported(fields: Fields): void {
  for (const name of UNSUPPORTED_FIELDS) {
    if (fields.value(name) === undefined) continue;
    const what = STEP_KINDS.includes(name) ? `\`${name}\` steps are` : `\`${name}\` is`;
    fields.refuse(name, "not_supported", `${what} not supported yet`);
  }
}

/** `onFailure`, with its third value named as what it is. */
export function readOnFailure(fields: Fields): "fail" | "continue" | undefined {
  if (fields.value("onFailure") !== "compensate") return fields.choice("onFailure", ["fail", "continue"]);
  return fields.refuse("onFailure", "not_supported", "`onFailure: compensate` is not supported yet");
}
