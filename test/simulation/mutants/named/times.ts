import type { NamedMutant } from "./named-mutant.ts";

/** Steps that wait until a time. */
export const TIMES: readonly NamedMutant[] = [
  {
    name: "until-a-second-short",
    is: "a wait until a time ends a second before it",
    rule: "16",
    file: "domain/workflows/step-values.ts",
    changes: [
      {
        from: "if (Number.isSafeInteger(time)) return time;",
        to: "if (Number.isSafeInteger(time)) return time - 1_000_000;",
      },
    ],
  },
  {
    name: "until-without-its-zone",
    is: "a time is taken for one in UTC, whatever its offset",
    rule: "16",
    file: "domain/workflows/step-values.ts",
    changes: [
      {
        from: 'const time = typeof value === "string" ? parseTime(value) : null;',
        to: 'const time = typeof value === "string" ? parseTime(value.replace(/[+-]..:..$/, "Z")) : null;',
      },
    ],
  },
  {
    name: "no-time-is-now",
    is: "a wait until what is no time ends at once",
    rule: "1",
    file: "domain/workflows/step-values.ts",
    changes: [
      {
        from: "if (time === null) throw failed(step.parametersAt, `must yield ${TIME_HINT}, not ${shown(value)}`);",
        to: "if (time === null) return 0;",
      },
    ],
  },
  {
    name: "passed-time-is-waited-for",
    is: "a step waits for a time that has passed",
    rule: "18",
    file: "store/sqlite/waits.ts",
    changes: [{ from: "if (at <= tx.now) return", to: "if (at === tx.now) return" }],
  },
];
