import { formatTime } from "@opspawn/contract";
import { type Clock, systemClock } from "@opspawn/sdk";

/** What an agent logs through; a pino logger fits. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

type Level = keyof Logger;

function forEachLevel(log: (level: Level, fields: object, message: string) => void): Logger {
  return {
    debug: (fields, message) => log("debug", fields, message),
    info: (fields, message) => log("info", fields, message),
    warn: (fields, message) => log("warn", fields, message),
    error: (fields, message) => log("error", fields, message),
  };
}

export const silentLogger: Logger = forEachLevel(() => undefined);

/** Writes one JSON object per line, such as `{"time":"...","level":"info","message":"...",...}`. */
export function jsonLineLogger(write: (line: string) => void, clock: Pick<Clock, "now"> = systemClock): Logger {
  return forEachLevel((level, fields, message) => {
    write(`${JSON.stringify({ time: formatTime(clock.now()), level, message, ...fields })}\n`);
  });
}

/** A logger that adds `bound` to every record. */
export function childLogger(logger: Logger, bound: object): Logger {
  return forEachLevel((level, fields, message) => logger[level]({ ...bound, ...fields }, message));
}
