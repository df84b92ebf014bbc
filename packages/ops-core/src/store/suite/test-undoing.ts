import type { JsonObject, JsonValue } from "@opspawn/contract";
import { step, workflow } from "./test-definitions.ts";
import { FAILS, ONCE, workOff } from "./test-language.ts";
import type { World } from "./test-world.ts";

export const COMPENSATE = { onFailure: "compensate" };
/** The step that fails. */
export const LAST = step("last", { parameters: { do: "last" }, ...ONCE });

export async function start(
  w: World,
  tasks: JsonObject[],
  rest: JsonObject = {},
  data: JsonValue = {},
): Promise<string> {
  return (await w.start(workflow(tasks, { ...COMPENSATE, ...rest }), { data })).id;
}

/** Does all work; the step `last` fails, others come to their name. What was undone, in order. */
export async function runToFailure(w: World): Promise<JsonObject[]> {
  const done = await workOff(w, ({ do: name, undo }) => (name === "last" ? FAILS : (name ?? undo ?? null)));
  return done.filter(({ undo }) => undo !== undefined);
}

/** Of which steps. */
export const names = (undone: readonly JsonObject[]) => undone.map(({ undo }) => undo);

export async function compensation(w: World, id: string): Promise<string | null> {
  return (await w.getSession(id)).compensation;
}
