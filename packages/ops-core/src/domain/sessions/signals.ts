/** Signals of one name that a session keeps until a step waits for them. */
export const SIGNALS_WAITING_MAX = 1_000;
