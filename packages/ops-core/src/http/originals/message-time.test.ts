import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type JsonValue, parseJson } from "@opspawn/contract";
import { isTimeFault, parseMessageTime } from "./message-time.ts";
import { formatWireTime } from "./wire-time.ts";

function shown(value: JsonValue): string {
  const time = parseMessageTime(value);
  return isTimeFault(time) ? `${time.type}: ${time.reason}` : formatWireTime(time);
}

describe("a message's timestamp", () => {
  const read: readonly (readonly [JsonValue, string])[] = [
    ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"],
    ["2024-01-01t00:00:00z", "2024-01-01T00:00:00Z"],
    ["2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z"],
    ["2024-01-01T00:00:00.000001-00:00", "2024-01-01T00:00:00.000001Z"],
    ["2024-01-01T00:00:00+05:30", "2024-01-01T00:00:00+05:30"],
    ["2024-01-01T00:00:00-0530", "2024-01-01T00:00:00-05:30"],
    ["2024-01-01T00:00:00\u221205:00", "2024-01-01T00:00:00-05:00"],
    ["2024-01-01 00:00:00", "2024-01-01T00:00:00"],
    ["2024-01-01_00:00", "2024-01-01T00:00:00"],
    ["2024-01-01T00:00:00.1", "2024-01-01T00:00:00.100000"],
    ["2024-01-01T00:00:00,123", "2024-01-01T00:00:00.123000"],
    ["2024-01-01T23:59:59.123456789Z", "2024-01-01T23:59:59.123456Z"],
    ["2024-01-01", "2024-01-01T00:00:00"],
    ["0001-01-01", "0001-01-01T00:00:00"],
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"],
    [0, "1970-01-01T00:00:00Z"],
    [-1, "1969-12-31T23:59:59Z"],
    [-1.5, "1969-12-31T23:59:58.500000Z"],
    [0.0000005, "1970-01-01T00:00:00.000001Z"],
    [0.9999999, "1970-01-01T00:00:01Z"],
    [1700000000.123456, "2023-11-14T22:13:20.123456Z"],
    [1700000000123, "2023-11-14T22:13:20.123000Z"],
    [1700000000123.5, "2023-11-14T22:13:20.123500Z"],
    [20000000000, "2603-10-11T11:33:20Z"],
    [20000000001, "1970-08-20T11:33:20.001000Z"],
    [253402300799999, "9999-12-31T23:59:59.999000Z"],
    [-62135596800000, "0001-01-01T00:00:00Z"],
    [parseJson("1.7e9"), "2023-11-14T22:13:20Z"],
    [parseJson("1700000000.50"), "2023-11-14T22:13:20.500000Z"],
    ["2024", "1970-01-01T00:33:44Z"],
    ["20240101", "1970-08-23T06:15:01Z"],
    ["+1", "1970-01-01T00:00:01Z"],
    ["1.", "1970-01-01T00:00:01Z"],
    [".5", "1970-01-01T00:00:00.500000Z"],
    ["1700000000.1234567", "2023-11-14T22:13:20.123457Z"],
    ["1700000000123.5", "2023-11-14T22:13:20.123500Z"],
  ];
  for (const [value, text] of read) {
    it(`${JSON.stringify(value)} is shown as ${text}`, () => assert.equal(shown(value), text));
  }

  const text = (reason: string) => `datetime_from_date_parsing: ${reason}`;
  const number = (reason: string) => `datetime_parsing: ${reason}`;
  const refused: readonly (readonly [string, readonly JsonValue[]])[] = [
    ["datetime_type: null", [null, true, false, [], {}]],
    [text("input is too short"), ["", "now", "1e9", " 1", "2024-1-1", "nan", "0x10", "."]],
    [text("invalid character in year"), ["not a date", " 2024-01-01", "12-01-2024", "2x24-01-01"]],
    [
      text("invalid date separator, expected `-`"),
      ["2024x01-01", "2024-01x01", "99999999999999999999", "20240101T000000"],
    ],
    [text("invalid character in month"), ["2024-x1-01", "2024-W01-1"]],
    [text("invalid character in day"), ["2024-01-x1"]],
    [text("month value is outside expected range of 1-12"), ["2024-13-01", "2024-00-01T00:00:00Z"]],
    [text("day value is outside expected range"), ["2024-02-30", "2023-02-29T00:00:00Z", "2024-01-00"]],
    [
      text("unexpected extra characters at the end of the input"),
      [
        "2024-01-01x00:00:00Z",
        "2024-01-01T",
        "2024-01-01T00",
        "2024-01-01T24:00:00",
        "2024-01-01T23:60:00",
        "2024-01-01Z",
      ],
    ],
    [
      text("unexpected extra characters at the end of the input"),
      ["2024-01-01T00:00:00 Z", "2024-01-01T00:00:00+05", "2024-01-01T00:00:00+24:00"],
    ],
    [text("dates after 9999 are not supported as unix timestamps"), ["253402300800000", "9223372036854775807"]],
    [text("dates before 0000 are not supported as unix timestamps"), ["-62167219200001"]],
    [
      number("dates after 9999 are not supported as unix timestamps"),
      [253402300800000, 1e300, parseJson("100000000000000000000")],
    ],
    [number("dates before 0000 are not supported as unix timestamps"), [-1e300, parseJson("-100000000000000000000")]],
    [number("year 0 is out of range"), ["0000-01-01", "0000-01-01T00:00:00Z", -62135596800001, "-62135596800001"]],
  ];
  for (const [fault, values] of refused) {
    for (const value of values) {
      it(`${JSON.stringify(value)} is refused: ${fault}`, () => assert.equal(shown(value), fault));
    }
  }
});
