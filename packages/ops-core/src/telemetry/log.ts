import { formatTime } from "@opspawn/contract";
import { destination, type Logger, pino } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Lines are collected up to this many characters, but no longer than `FLUSH_MS`: one write for many lines. */
const COLLECTED_MAX = 8_192;
const FLUSH_MS = 100;
/** When nobody reads our output, lines are dropped beyond this rather than kept for ever. */
const BUFFER_BYTES_MAX = 8 * 1_048_576;

/**
 * A net under the rule that secrets are never logged. Named one by one: a wildcard would look through every line, which
 * costs more than writing it.
 */
const REDACTED = [
  ...["authorization", "secret", "token", "key", "apiKey", "agentKey", "password"],
  ...["headers.authorization", "headers.cookie", 'headers["x-agent-key"]', "body", "opspawn.token"],
];

export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** A file descriptor. Default 1, stdout: a server's log is its output, as the originals' was. */
  readonly fd?: number;
}

/** A log, and the way to write out what is still collected before the process ends. */
export interface ProcessLog extends Log {
  flush(): void;
}

/**
 * JSON lines: `level`, `timestamp`, `name`, the fields, `message`. Writing does not block the caller: lines leave in
 * the background, and a reader that is gone or asleep cannot stop the server.
 */
export function createLog(options: LogOptions & { readonly timers: Timers }): ProcessLog {
  const stream = destination({
    fd: options.fd ?? 1,
    sync: false,
    maxLength: BUFFER_BYTES_MAX,
  });
  // A closed pipe: there is nobody left to tell.
  stream.on("error", () => {});
  const lines = new Lines(stream, options.timers);
  return Object.assign(logFrom(createLogger(options, lines)), {
    flush: () => {
      try {
        lines.pass();
        stream.flushSync();
      } catch {
        // The stream never opened or is closed.
      }
    },
  });
}

/**
 * Collects lines as text. The destination could, but it measures all it has collected with every line that is added,
 * which made a seventh of a busy server's garbage.
 */
class Lines {
  readonly #stream: { write(text: string): void };
  readonly #timers: Timers;
  #text = "";
  #cancel: (() => void) | null = null;

  constructor(stream: { write(text: string): void }, timers: Timers) {
    this.#stream = stream;
    this.#timers = timers;
  }

  write(line: string): void {
    this.#text += line;
    if (this.#text.length >= COLLECTED_MAX) this.pass();
    else this.#cancel ??= this.#timers.set(FLUSH_MS, () => this.pass());
  }

  pass(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    this.#stream.write(text);
  }
}

/** The same lines to any stream. */
export function createLogger(options: LogOptions, stream: { write(line: string): void }): Logger {
  return pino(
    {
      base: { name: "opspawn" },
      level: options.level,
      messageKey: "message",
      timestamp: () => `,"timestamp":"${formatTime(options.clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: "[redacted]" },
    },
    stream,
  );
}

export function logFrom(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
