import type { Issues, Loc } from "../issues.ts";
import { suggestion } from "../suggestion.ts";
import type { Reserve } from "./plan.ts";
import type { StepDefinition } from "./step-definition.ts";

/** A place of a step in reserve among the others: positions in the list of all steps. */
export interface PlacedReserve extends Reserve {
  /** Where the step is named, from the root of the document. */
  readonly loc: Loc;
}

/** All steps of the definition, and where each is in the list and in reserve. */
export interface Listed {
  readonly steps: readonly StepDefinition[];
  readonly positions: ReadonlyMap<string, number>;
  readonly reserved: readonly (PlacedReserve | null)[];
}

/** Notes that a name is no task's. */
export function unknownTask(name: string, loc: Loc, known: ReadonlyMap<string, number>, issues: Issues): void {
  issues.add(loc, "unknown_step", () => `no task has the id "${name}"${suggestion(name, known.keys())}`);
}
