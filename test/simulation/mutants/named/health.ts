import type { NamedMutant } from "./named-mutant.ts";

/** Who is watched, suspect, quarantined and tried. */
export const HEALTH: readonly NamedMutant[] = [
  {
    name: "any-word-is-progress",
    is: "a beat with the same counter counts as progress",
    rule: "16",
    file: "store/sqlite/progress.ts",
    changes: [
      {
        from: "const grown = beat.counter !== null && (counter === null || beat.counter > counter);",
        to: "const grown = beat.counter !== null;",
      },
    ],
  },
  {
    name: "silence-from-dispatch",
    is: "progress does not begin the time of silence anew",
    rule: "16",
    file: "store/sqlite/progress.ts",
    changes: [
      {
        from: "    watched_from: grown || known === undefined ? tx.now : known.watched_from,",
        to: "    watched_from: known === undefined ? tx.now : known.watched_from,",
      },
    ],
  },
  {
    name: "suspicion-outlives-attempt",
    is: "an attempt that ends while it is suspect leaves its agent suspect for ever",
    rule: "24",
    file: "store/sqlite/ending.ts",
    changes: [{ from: "  clearSuspicion(tx, agent, task.id);\n", to: "" }],
  },
  {
    name: "quarantine-without-wait",
    is: "a quarantined agent is tried at once",
    rule: "24",
    file: "domain/agents/quarantine.ts",
    changes: [{ from: "const FIRST_READMISSION = 30 * SECOND;", to: "const FIRST_READMISSION = SECOND;" }],
  },
  {
    name: "many-tries-at-once",
    is: "a quarantined agent is tried by whatever waits, not by one task",
    rule: "24",
    file: "store/sqlite/quarantines.ts",
    changes: [
      { from: "  agent.quarantine = { ...quarantined, trial };\n", to: "" },
      { from: "trial is null and ", to: "" },
    ],
  },
  {
    name: "work-for-the-quarantined",
    is: "an agent that asks for work gets it although it is quarantined",
    rule: "24",
    file: "store/sqlite/agents.ts",
    changes: [
      {
        from: "  if (agent.quarantine !== null) return [...claimed, ...trialFor(tx, agent, max - claimed.length)];\n",
        to: "",
      },
    ],
  },
  {
    name: "probe-never-sent",
    is: "an agent with a probe of its own waits for it for ever",
    rule: "24",
    file: "store/sqlite/probes.ts",
    changes: [{ from: "|| tx.sendCapacity <= 0) return;", to: "|| tx.sendCapacity >= 0) return;" }],
  },
];
