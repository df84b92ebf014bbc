import type { Left } from "./planted-left.ts";

/** What is told of agents and their progress, and cannot have been. */
export const PLANTED_HEALTH: readonly (readonly [what: string, invariant: string, tamper: (left: Left) => void])[] = [
  [
    "an agent that was quarantined got work",
    "a quarantined agent gets nothing but one try at a time, at its time, and is readmitted by one that succeeds",
    ({ db }) =>
      db.exec(`update events set entries = replace(entries, '["agent.registered",{',
        '["agent.health_changed",{"from":"ready","to":"quarantined","cause":"failures",')`),
  ],
  [
    "an attempt ended for a silence that nobody had bounded",
    "silence ends an attempt that was suspect, and no sooner than it may",
    ({ db }) =>
      db.exec(`update events set entries = replace(replace(entries, '["attempt.failed",{', '["attempt.timed_out",{'),
        '"code":"agent_error"', '"code":"silent"')`),
  ],
  [
    "a counter went back",
    "progress that is told has grown, and is told once a second",
    ({ db }) =>
      db.exec(`update events set entries = replace(replace(entries, '["attempt.created",{',
        '["attempt.progress",{"counter":5,'), '["attempt.succeeded",{', '["attempt.progress",{"counter":1,')`),
  ],
];
