/** This process among those that share the store. */
export interface ProcessStore {
  readonly epoch: number;
  /** Marks the process alive and judges whether the store was deaf meanwhile. */
  beat(): Promise<void>;
  /** Releases what this process holds, for a graceful stop. */
  resign(): Promise<void>;
  /** Removes what is older than its keeping time; at most `max` rows. */
  prune(max: number): Promise<number>;
}
