import type { NamedMutant } from "./named-mutant.ts";

/** What those are told who follow events. */
export const STREAMS: readonly NamedMutant[] = [
  {
    name: "stream-skips-the-rest-of-a-batch",
    is: "who was cut off in the middle of what one transition wrote is not told the rest of it",
    rule: "26",
    file: "store/sqlite/catalog-stores.ts",
    changes: [
      {
        from: "row.sequence + Math.min(position - row.position, row.count - 1)",
        to: "row.sequence + row.count - 1",
      },
    ],
  },
  {
    name: "stream-repeats-a-batch",
    is: "who was cut off in the middle of what one transition wrote is told all of it again",
    rule: "26",
    file: "store/sqlite/catalog-stores.ts",
    changes: [
      {
        from: "row.sequence + Math.min(position - row.position, row.count - 1)",
        to: "row.sequence - 1 + position * 0",
      },
    ],
  },
  {
    name: "stream-repeats-its-last-event",
    is: "who comes back is told once more what was told last",
    rule: "26",
    file: "domain/events/cursor.ts",
    changes: [
      {
        from: 'await readingNumber(events, selection, position, "positions")',
        to: 'Math.max(0, (await readingNumber(events, selection, position, "positions")) - 1)',
      },
    ],
  },
  {
    name: "stream-ends-with-the-status",
    is: "a stream ends when its session has, whatever it has told of it",
    rule: "26",
    file: "domain/events/live-stream.ts",
    changes: [
      {
        from: "    const page = await this.#scan();\n    if (page.events",
        to: "    if ((await this.#parts.ended?.()) != null && this.#hasTold) {\n      this.#end = (await this.#parts.ended?.()) ?? null;\n      return { events: [], isAtEnd: true };\n    }\n    const page = await this.#scan();\n    if (page.events",
      },
    ],
  },
];
