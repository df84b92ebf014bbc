import { type JsonValue, jsonNumber } from "@opspawn/contract";
import { dateSeconds, daysInMonth, type WireTime } from "./wire-time.ts";

/** Why a value is no datetime: the parts of a 422 item that depend on it. */
export interface TimeFault {
  readonly type: "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing";
  readonly reason: string | null;
}

const DATETIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt _](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([-+\u2212])(\d\d):?(\d\d))?$/;
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$/;

// Beyond this a unix number counts milliseconds.
const MILLISECONDS_ABOVE = 20_000_000_000;
const YEAR_0 = dateSeconds(0, 1, 1);
const YEAR_1 = dateSeconds(1, 1, 1);
const YEAR_10000 = dateSeconds(10_000, 1, 1);
const TOO_LATE = "dates after 9999 are not supported as unix timestamps";
const YEAR_ZERO = "year 0 is out of range";
const TOO_EARLY = "dates before 0000 are not supported as unix timestamps";

/**
 * Reads the `timestamp` of an AgentKit message: ISO text with or without offset, a date alone, or unix seconds or
 * milliseconds as a number or as text. Faults are named as the original's validator names them.
 */
export function parseMessageTime(value: JsonValue): WireTime | TimeFault {
  if (typeof value === "string") return fromText(value);
  const number = jsonNumber(value);
  return number === undefined ? { type: "datetime_type", reason: null } : fromUnix(number);
}

export function isTimeFault(value: WireTime | TimeFault): value is TimeFault {
  return "type" in value;
}

function fromText(text: string): WireTime | TimeFault {
  const match = DATETIME.exec(text);
  const time = match === null ? null : fromMatch(match);
  if (time !== null) return time;
  const unix = NUMBER.test(text) ? fromUnix(Number(text)) : null;
  if (unix === null) return fromDate(text);
  return isTimeFault(unix) ? outOfRange(text, unix) : unix;
}

/** The original reads such a text once more as a date, and then only whole numbers of 64 bits are numbers to it. */
function outOfRange(text: string, fault: TimeFault): WireTime | TimeFault {
  if (fault.reason === YEAR_ZERO) return fault;
  if (!/^[-+]?\d{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) return fromDate(text);
  return { type: "datetime_from_date_parsing", reason: fault.reason };
}

/** Null when a part is out of range; the text is then looked at as a date. */
function fromMatch(match: RegExpExecArray): WireTime | TimeFault | null {
  const group = (i: number) => Number(match[i] ?? 0);
  const [year, month, day] = [group(1), group(2), group(3)];
  const [hours, minutes, seconds, shiftHours, shiftMinutes] = [group(4), group(5), group(6), group(10), group(11)];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hours > 23 || minutes > 59 || seconds > 59 || shiftHours > 23 || shiftMinutes > 59) return null;
  if (year === 0) return yearZero();
  const shift = shiftHours * 3600 + shiftMinutes * 60;
  return {
    local: dateSeconds(year, month, day) + hours * 3600 + minutes * 60 + seconds,
    micros: Number((match[7] ?? "").slice(0, 6).padEnd(6, "0")),
    offset: offsetOf(match[8] !== undefined, match[9], shift),
  };
}

function offsetOf(utc: boolean, sign: string | undefined, shift: number): number | null {
  if (utc) return 0;
  if (sign === undefined) return null;
  return sign === "+" ? shift : 0 - shift;
}

function fromUnix(number: number): WireTime | TimeFault {
  const whole = Math.floor(number);
  const unit = Math.abs(whole) > MILLISECONDS_ABOVE ? 1000 : 1;
  let local = Math.floor(whole / unit);
  // Whole and fraction apart: a double has no digits to spare here.
  let micros = Math.round(((whole - local * unit + (number - whole)) * 1_000_000) / unit);
  if (micros === 1_000_000) {
    local += 1;
    micros = 0;
  }
  if (local >= YEAR_10000) return { type: "datetime_parsing", reason: TOO_LATE };
  if (local < YEAR_0) return { type: "datetime_parsing", reason: TOO_EARLY };
  return local < YEAR_1 ? yearZero() : { local, micros, offset: 0 };
}

function fromDate(text: string): WireTime | TimeFault {
  const reason = dateFault(text);
  if (reason !== null) return { type: "datetime_from_date_parsing", reason };
  const [year, month, day] = text.split("-").map(Number) as [number, number, number];
  return year === 0 ? yearZero() : { local: dateSeconds(year, month, day), micros: 0, offset: null };
}

/** What is wrong with a text as `YYYY-MM-DD`, found from left to right. */
function dateFault(text: string): string | null {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < 10) return "input is too short";
  if (!digits(bytes, 0, 4)) return "invalid character in year";
  if (bytes[4] !== HYPHEN) return "invalid date separator, expected `-`";
  if (!digits(bytes, 5, 7)) return "invalid character in month";
  if (bytes[7] !== HYPHEN) return "invalid date separator, expected `-`";
  if (!digits(bytes, 8, 10)) return "invalid character in day";
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))];
  if (month < 1 || month > 12) return "month value is outside expected range of 1-12";
  if (day < 1 || day > daysInMonth(year, month)) return "day value is outside expected range";
  return bytes.length > 10 ? "unexpected extra characters at the end of the input" : null;
}

const HYPHEN = 0x2d;

function digits(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes.subarray(from, to).every((byte) => byte >= 0x30 && byte <= 0x39);
}

function yearZero(): TimeFault {
  return { type: "datetime_parsing", reason: YEAR_ZERO };
}
