/** A saved version of a workflow. `document` is its JSON text, `hash` that of its canonical form. */
export interface StoredWorkflow {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly description: string | null;
  readonly steps: number;
  readonly hash: string;
  readonly document: string;
  readonly appliedAt: number;
}
