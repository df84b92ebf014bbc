import type { Chance, Clock } from "@opspawn/sdk";
import type { Settings } from "./config.ts";
import type { StartServer } from "./server.ts";

export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** All that commands touch of the world, so that tests can give them another one. */
export interface Io {
  /** Data. */
  readonly stdout: Sink;
  /** Everything else. */
  readonly stderr: Sink;
  readonly readStdin: () => Promise<string>;
  /** Width of the terminal. */
  readonly columns: number;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly fetch: typeof fetch;
  /** From the first call on, Ctrl-C aborts the signal instead of ending the process. */
  readonly interrupt: () => AbortSignal;
  readonly startServer: StartServer;
}
