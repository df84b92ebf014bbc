import { OpspawnError } from "@opspawn/contract";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import type { StoredWorkflow } from "../../domain/workflows/stored.ts";
import type { Tx } from "./tx.ts";

export interface WorkflowRow {
  id: string;
  version: string;
  name: string;
  description: string | null;
  steps: number;
  hash: string;
  document: string;
  applied_at: number;
}

/** Definitions are kept by hash, so a session's own one costs nothing when it is known. */
export function saveDefinition(tx: Tx, hash: string, document: string): void {
  if (tx.context.plans.has(hash)) return;
  if (tx.get("select 1 from definitions where hash = ?", hash) !== undefined) return;
  tx.run("insert into definitions (hash, document) values (?, ?)", hash, document);
}

export function applyWorkflow(tx: Tx, workflow: StoredWorkflow): { created: boolean; appliedAt: number } {
  const known = tx.get<{ hash: string; applied_at: number }>(
    "select hash, applied_at from workflows where id = ? and version = ?",
    workflow.id,
    workflow.version,
  );
  if (known !== undefined) {
    if (known.hash === workflow.hash) {
      // By id = the most recently applied version, so applying an old one again makes it the current one.
      tx.context.plans.forgetCurrent();
      tx.run("update workflows set applied_at = ? where id = ? and version = ?", tx.now, workflow.id, workflow.version);
      return { created: false, appliedAt: tx.now };
    }
    throw new OpspawnError(
      "workflow_version_exists",
      `Workflow \`${workflow.id}\` version ${workflow.version} exists with another definition.`,
    );
  }
  saveDefinition(tx, workflow.hash, workflow.document);
  insertWorkflow(tx, workflow);
  return { created: true, appliedAt: tx.now };
}

/** The originals' inline trigger: saved only if its id is new. */
export function saveWorkflow(tx: Tx, plan: WorkflowPlan, hash: string): void {
  if (tx.get("select 1 from workflows where id = ? limit 1", plan.id) !== undefined) return;
  const { id, version, name, description, steps } = plan;
  insertWorkflow(tx, { id, version, name, description, steps: steps.length, hash });
}

function insertWorkflow(tx: Tx, workflow: Omit<StoredWorkflow, "document" | "appliedAt">): void {
  tx.context.plans.forgetCurrent();
  tx.run(
    "insert into workflows (id, version, name, description, steps, hash, applied_at) values (?, ?, ?, ?, ?, ?, ?)",
    workflow.id,
    workflow.version,
    workflow.name,
    workflow.description,
    workflow.steps,
    workflow.hash,
    tx.now,
  );
}

export const WORKFLOWS = "select w.*, d.document from workflows w join definitions d on d.hash = w.hash";

export function toWorkflow(row: WorkflowRow): StoredWorkflow {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    description: row.description,
    steps: row.steps,
    hash: row.hash,
    document: row.document,
    appliedAt: row.applied_at,
  };
}

/** The version asked for, or the one most recently applied. */
export function findWorkflow(tx: Pick<Tx, "get">, id: string, version: string | null): StoredWorkflow | undefined {
  const row =
    version === null
      ? tx.get<WorkflowRow>(`${WORKFLOWS} where w.id = ? order by w.applied_at desc, w.version desc limit 1`, id)
      : tx.get<WorkflowRow>(`${WORKFLOWS} where w.id = ? and w.version = ?`, id, version);
  return row === undefined ? undefined : toWorkflow(row);
}
