/** How much is open now. */
export interface CountStore {
  /** By status and, of what waits, by reason; what has ended is not counted. */
  open(): Promise<readonly OpenCount[]>;
}

export interface OpenCount {
  readonly noun: "sessions" | "steps" | "tasks" | "deliveries" | "approvals" | "schedules" | "agents";
  readonly status: string;
  /** Empty where nothing is waited for; of agents their health. */
  readonly reason: string;
  readonly count: number;
}
