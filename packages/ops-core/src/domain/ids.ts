/** Identifiers and chance come from outside, so that tests and the simulator own them. */
export interface Ids {
  /** A UUIDv7: later ones sort after earlier ones. */
  uuid(): string;
  /** 128 random bits as text, for fencing tokens. */
  secret(): string;
  /** Uniform in [0, 1). */
  random(): number;
}
