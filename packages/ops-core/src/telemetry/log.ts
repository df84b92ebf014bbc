import { formatTime } from "@opspawn/contract";
import { destination, type Logger, pino } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { Log } from "../domain/log.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Lines are collected up to this size, but no longer than `FLUSH_MS`: one write for many lines. */
const BUFFER_BYTES = 8_192;
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
export function createLog(options: LogOptions): ProcessLog {
  const stream = destination({
    fd: options.fd ?? 1,
    sync: false,
    minLength: BUFFER_BYTES,
    maxLength: BUFFER_BYTES_MAX,
    periodicFlush: FLUSH_MS,
  });
  // A closed pipe: there is nobody left to tell.
  stream.on("error", () => {});
  const logger = createLogger(options, stream);
  return Object.assign(logFrom(logger), {
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        // The stream never opened or is closed.
      }
    },
  });
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
