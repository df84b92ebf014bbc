/**
 * Moments that a crash must not be able to spoil. Tests name one in OPSPAWN_FAILPOINT and the process kills itself there;
 * otherwise nobody listens and a point costs nothing.
 */
export const FAILPOINTS = [
  /** The tables are being made, nothing of it is committed. */
  "store.mid-migration",
  /** A task has its outcome, the steps that wait for it have nothing yet; all in one transaction. */
  "store.before-next-step",
  /** The transitions of a group are done, the commit is not. */
  "store.before-commit",
  /** The group is on disk, nobody has been told. */
  "store.after-commit",
  /** An attempt is claimed, no byte of it has left. */
  "engine.before-send",
  /** The agent's answer is here, nothing of it is recorded. */
  "engine.after-send",
  /** Work of an earlier process is known, none of it is taken over. */
  "start.before-adopt",
  /** Work of an earlier process is taken over and being sent again. */
  "start.after-adopt",
  /** The receiver of a webhook or message has answered, the delivery still counts as due. */
  "outbox.after-send",
  /** A session is started, its caller has no answer. */
  "http.after-start",
  /** An outcome is accepted, its agent has no answer. */
  "http.after-result",
  /** A pulling agent has been given work, its answer has not left. */
  "http.after-claim",
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

/** Which point is armed, and at which hit, counted from 1. */
export interface ArmedFailpoint {
  readonly name: FailpointName;
  readonly hit: number;
}

/** Says that the process is at a point. */
export type Failpoint = (name: FailpointName) => void;
