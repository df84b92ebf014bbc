// What each name runs. A target without `args` of its own passes the caller's arguments straight on.
// @ts-check

const biome = "node_modules/@biomejs/biome/bin/biome";

/** @type {Record<string, { script: string, args?: string[] }>} */
export const TARGETS = {
  start: { script: "scripts/start.ts" },
  test: { script: "scripts/test.ts" },
  opspawn: { script: "packages/cli/src/main.ts" },
  simulate: { script: "test/simulation/main.ts" },
  "chaos:smoke": { script: "test/chaos/smoke.ts" },
  mutants: { script: "test/simulation/mutants/main.ts" },
  "bench:sessions": { script: "benchmarks/sessions.ts" },
  "bench:state": { script: "benchmarks/state.ts" },
  "bench:language": { script: "benchmarks/language.ts" },
  types: { script: "node_modules/typescript/bin/tsc", args: ["--project", "."] },
  lint: { script: biome, args: ["check", "--error-on-warnings"] },
  format: { script: biome, args: ["check", "--write"] },
  tidy: { script: "scripts/tidy.ts" },
  "dead-code": { script: "node_modules/knip/bin/knip.js", args: ["--no-config-hints"] },
  coverage: { script: "scripts/coverage.ts" },
};
