import type { Left } from "./planted.ts";

/** The second try of one session's task becomes its first, after everything else. */
export const CLAIMED_LAST = `update events set position = position + 1000, entries = replace(entries, '"number":2', '"number":1')
  where entries like '%attempt.created%' and entries like '%"number":2%'`;

/** What was done to a system whose tasks are limited, and the invariant that must be found broken. */
export const LIMITS: readonly (readonly [what: string, invariant: string, tamper: (left: Left) => void])[] = [
  [
    "more tasks of a key run than may",
    "no task of a key begins while as many as its limit run",
    ({ db }) =>
      db.exec(`update tasks set limits = '{"concurrency":{"key":"k","limit":1}}';
        update events set entries = replace(entries, 'attempt.succeeded', 'attempt.unheard_of')`),
  ],
  [
    "more tasks of a key begin than may",
    "no more tasks of a key begin within its time than its limit",
    ({ db }) => db.exec(`update tasks set limits = '{"rate":{"key":"k","limit":2,"per":86400000000}}'`),
  ],
  [
    "a new task took the permit that another one waited for",
    "no task is claimed as it is made while one of its key that could begin as well stands before it",
    ({ db }) => db.exec(`update tasks set limits = '{"concurrency":{"key":"k","limit":9}}'; ${CLAIMED_LAST}`),
  ],
];
