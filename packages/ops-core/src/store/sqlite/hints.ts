import type { Hints } from "../../domain/store.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { attemptId } from "./task-row.ts";

/** What one transition, then one batch, has to say to the process once it is committed. */
export class CommitHints implements Hints {
  claimed: ClaimedAttempt[] = [];
  readonly lanes = new Set<string>();
  readonly endedSessions: string[] = [];
  readonly endedAttempts: { readonly id: string; readonly stop: boolean }[] = [];
  readonly streams = new Set<string>();
  deliveries = false;

  get any(): boolean {
    return this.streams.size > 0 || this.claimed.length > 0 || this.lanes.size > 0 || this.deliveries;
  }

  add(other: CommitHints): void {
    this.claimed.push(...other.claimed);
    for (const lane of other.lanes) this.lanes.add(lane);
    this.endedSessions.push(...other.endedSessions);
    this.endedAttempts.push(...other.endedAttempts);
    for (const stream of other.streams) this.streams.add(stream);
    this.deliveries ||= other.deliveries;
  }

  /** What was claimed and ended in one batch is not to be sent any more. */
  forgetEnded(): void {
    if (this.claimed.length === 0 || this.endedAttempts.length === 0) return;
    const ended = new Set(this.endedAttempts.map(({ id }) => id));
    this.claimed = this.claimed.filter(({ taskId, attempt }) => !ended.has(attemptId(taskId, attempt)));
  }
}
