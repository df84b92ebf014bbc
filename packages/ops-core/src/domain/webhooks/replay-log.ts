/** Remembers which signed messages were taken, so that a copy of one is refused. */
export interface ReplayLog {
  /**
   * Remembers `id` until `until` (microseconds since the epoch), in one step with looking whether it is known.
   * @returns false when it was remembered already
   */
  remember(id: string, until: number): boolean | Promise<boolean>;
}
