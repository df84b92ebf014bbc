import { readFileSync } from "node:fs";
import { productFile } from "../../planting/planting.ts";
import { type GeneratedMutant, generate } from "./generator.ts";

/**
 * The sources whose predicates decide a write, and of those that also read or explain the functions that decide one.
 * Left out: what only reads (lists, explanations, the audit), keys and definitions, which the simulated world has not.
 */
const TARGETS: Readonly<Record<string, readonly string[] | "all">> = {
  "store/sqlite/add-task.ts": "all",
  "store/sqlite/agent-index.ts": "all",
  "store/sqlite/agent-lease.ts": "all",
  "store/sqlite/agents.ts": "all",
  "store/sqlite/circuits.ts": "all",
  "store/sqlite/claim.ts": "all",
  "store/sqlite/deliveries.ts": "all",
  "store/sqlite/dispatch.ts": "all",
  "store/sqlite/ending.ts": "all",
  "store/sqlite/expiry.ts": "all",
  "store/sqlite/gap.ts": "all",
  "store/sqlite/held-tasks.ts": "all",
  "store/sqlite/hints.ts": "all",
  "store/sqlite/idempotency.ts": "all",
  "store/sqlite/lane-heads.ts": "all",
  "store/sqlite/lanes.ts": ["noteBlocked", "writeReason"],
  "store/sqlite/loss.ts": "all",
  "store/sqlite/outcomes.ts": "all",
  "store/sqlite/permits.ts": "all",
  "store/sqlite/process-store.ts": "all",
  "store/sqlite/recent-rows.ts": "all",
  "store/sqlite/report-evidence.ts": "all",
  "store/sqlite/reports.ts": "all",
  "store/sqlite/sender.ts": "all",
  "store/sqlite/session-advance.ts": "all",
  "store/sqlite/session-row.ts": ["updateSession"],
  "store/sqlite/session-unit.ts": ["SessionUnit"],
  "store/sqlite/sessions.ts": ["startSession", "need", "cancelSession", "labelSession"],
  "store/sqlite/slots.ts": "all",
  "store/sqlite/stored-task.ts": "all",
  "store/sqlite/task-failure.ts": ["failTask", "retry", "fallBack", "abandon", "backToLane", "endTask"],
  "store/sqlite/task-row.ts": "all",
  "store/sqlite/task-store.ts": ["createTask", "cancelAlone", "attemptStore", "extendLease"],
  "store/sqlite/tx.ts": "all",
  "store/sqlite/writer.ts": "all",
  "store/sqlite/session-end.ts": "all",
  "store/sqlite/step-tasks.ts": "all",
  "domain/workflows/advance.ts": "all",
  "domain/workflows/move.ts": "all",
  "domain/tasks/retry.ts": "all",
};

/** The predicates of a file, by its name below packages/ops-core/src. */
function generatedOf(file: string): GeneratedMutant[] {
  const wanted = TARGETS[file] ?? [];
  const all = generate(file, readFileSync(productFile(file), "utf8"));
  return all.filter(({ id }) => wanted === "all" || wanted.some((name) => isIn(name, id.slice(file.length + 1))));
}

function isIn(name: string, rest: string): boolean {
  return rest.startsWith(`${name} `) || rest.startsWith(`${name}.`);
}

/** All of them, in the order of files and places. */
export function allGenerated(): GeneratedMutant[] {
  return Object.keys(TARGETS).flatMap(generatedOf);
}
