import { formatTime } from "@opspawn/contract";
import { destination, type Logger, pino } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { Log, LogFields } from "../domain/log.ts";
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
  return Object.assign(plainFirst(logFrom(createLogger(options, lines)), options, lines), {
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

/** What may hold something that must not be printed is left to the logger, which knows how to take it out. */
const DELICATE = new Set(REDACTED.flatMap((path) => path.split(/[.[]/, 1)));

/** Writes lines of plain fields, as every request leaves one, without the general machinery: a fifth of its cost. */
function plainFirst(log: Log, { level, clock }: LogOptions, lines: Lines): Log {
  if (level !== "info" && level !== "debug" && level !== "trace") return log;
  return {
    ...log,
    info: (fields, message) => {
      const plain = plainText(fields);
      if (plain === null) return log.info(fields, message);
      const time = formatTime(clock.now());
      lines.write(
        `{"level":"info","timestamp":"${time}","name":"opspawn"${plain},"message":${JSON.stringify(message)}}\n`,
      );
    },
  };
}

/** `,"name":value` for each field; null when one of them is more than a text, a number or a truth value. */
function plainText(fields: LogFields): string | null {
  let text = "";
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    if (DELICATE.has(name) || (typeof value === "object" && value !== null) || typeof value === "function") return null;
    text += `,${JSON.stringify(name)}:${typeof value === "bigint" ? value : JSON.stringify(value)}`;
  }
  return text;
}

/** Collects lines as text: the destination measures each piece it is given, which costs more than the line. */
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
