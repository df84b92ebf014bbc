import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, OpspawnError } from "@opspawn/contract";
import { type SimulateReport, type SimulateRequest, simulate } from "./index.ts";

/** Two steps, the second of which is slow. */
const WORKFLOW: JsonObject = {
  id: "w",
  name: "W",
  tasks: [
    { taskId: "read", name: "Read", agentCapability: "read" },
    { taskId: "think", name: "Think", agentCapability: "think", parameters: { text: "${{ steps.read.result.text }}" } },
  ],
};

const READER = { name: "reader", capabilities: ["read"], concurrency: 5, latency: "1s", result: { text: "x" } };
const THINKER = { name: "thinker", capabilities: ["think"], count: 2, latency: { from: "8s", to: "12s" } };
const AGENTS = { agents: [READER, THINKER] };

function run(rest: Partial<SimulateRequest> = {}): Promise<SimulateReport> {
  return simulate({ workflow: WORKFLOW, agents: AGENTS, sessions: 60, ...rest });
}

/** The places that are refused, with what is said of them. */
async function refusal(rest: Partial<SimulateRequest>): Promise<string[]> {
  try {
    await run({ sessions: 5, ...rest });
  } catch (error) {
    assert.ok(error instanceof OpspawnError);
    return (error.issues ?? []).map(({ loc, msg }) => `${loc.join(".")}: ${msg}`);
  }
  return assert.fail("it was not refused");
}

function withoutRealTime({ tookMs: _took, sessionsPerSecond: _rate, speedUp: _speed, ...rest }: SimulateReport) {
  return rest;
}

test("what sessions wait for most is the bottleneck, and all add up", async () => {
  const report = await run();
  assert.deepEqual(report.counts, { completed: 60, failed: 0, cancelled: 0, uncertain: 0, stuck: 0, unfinished: 0 });
  assert.deepEqual(report.bottleneck, { name: "think", what: "capability", isWaitedFor: true });
  const [read, think] = report.steps;
  assert.equal(read?.count, 60);
  assert.ok(think !== undefined && think.waitMs.p50 > 10 * (read?.waitMs.p50 ?? 0));
  assert.ok(think.workMs.mean > 8_000 && think.workMs.mean < 12_000);
  assert.equal(Object.keys(think.reasons)[0], "agent_busy");
  const [reader, thinker] = report.agents;
  // Two thinkers of 10 s each do 12 a minute, so that they take 5 minutes for 60, and are busy all the time.
  assert.ok(thinker !== undefined && thinker.utilisation > 0.95 && thinker.utilisation <= 1);
  assert.ok(reader !== undefined && reader.utilisation < 0.1);
  assert.ok(report.completedPerMinute > 11 && report.completedPerMinute < 13);
  assert.ok(report.isGood);
});

test("the same seed gives the same report, and another one another", async () => {
  const rest = { arrivals: "poisson:1/s", agents: { agents: [{ ...READER, errors: "10%" }, THINKER] } };
  const [first, again, other] = [await run(rest), await run(rest), await run({ ...rest, seed: 2 })];
  assert.deepEqual(withoutRealTime(first), withoutRealTime(again));
  assert.notDeepEqual(first.latencyMs, other.latencyMs);
});

test("how many agents a target takes is found by trying", async () => {
  const report = await run({ arrivals: "24/min", target: "p95 < 30s" });
  const { target } = report;
  assert.ok(target !== null && !target.isMet && !report.isGood);
  // 24 a minute of 10 s each are 4 thinkers' work; they come evenly, so that no more are needed.
  assert.deepEqual(target.search.needed, { reader: 1, thinker: 4 });
  assert.ok(target.search.runs.length <= 16);
  const enough = {
    agents: [
      { ...READER, count: 1 },
      { ...THINKER, count: 4 },
    ],
  };
  assert.ok((await run({ arrivals: "24/min", target: "p95 < 30s", agents: enough })).isGood);
});

test("a target that no number of agents reaches says why", async () => {
  const slow = await run({ arrivals: "1/min", sessions: 10, target: "p95 < 5s" });
  assert.equal(slow.target?.search.needed, null);
  assert.match(slow.target?.search.reason ?? "", /the work itself/);
  const few = await run({ arrivals: "10/min", target: "20 sessions/min" });
  assert.match(few.target?.search.reason ?? "", /Sessions arrive at 10\/min: that is too few/);
});

test("a throughput is a target too", async () => {
  const report = await run({ target: "20 sessions/min" });
  assert.equal(report.target?.isMet, false);
  assert.equal(report.target?.search.needed?.thinker, 4);
});

const FAULTS = { crashes: { every: "20s", down: "3s" }, lostAnswers: "10%", duplicates: "10%" };

test("with crashes, lost answers and results told twice every session still completes", async () => {
  const report = await run({ faults: FAULTS, arrivals: "1/s" });
  assert.equal(report.counts.completed, 60);
  assert.ok(report.crashes >= 3, `it died ${report.crashes} times`);
});

test("agents that die are counted, and their work is done by others or later", async () => {
  const fails = { every: "30s", repair: "5s" };
  const report = await run({ agents: { agents: [READER, { ...THINKER, fails }] } });
  assert.equal(report.counts.completed, 60);
  assert.ok((report.agents[1]?.deaths ?? 0) > 2);
});

test("what fails is told with a story of one example", async () => {
  const agents = { agents: [READER, { ...THINKER, permanentErrors: "20%" }] };
  const { counts, badEnds, isGood } = await run({ agents });
  assert.ok(counts.failed > 3 && counts.failed < 25 && counts.completed === 60 - counts.failed);
  const [bad] = badEnds;
  assert.deepEqual(
    [badEnds.length, bad?.status, bad?.code, bad?.step],
    [1, "failed", "described_permanent_error", "think"],
  );
  assert.equal(bad?.count, counts.failed);
  assert.match(bad?.story.join("\n") ?? "", /#1\/think attempt\.failed .*described permanent error/);
  assert.ok(bad !== undefined && bad.number > 0);
  assert.ok(isGood, "a failure that was described is no defect of the workflow");
});

const WAITS: JsonObject = {
  id: "w",
  name: "W",
  tasks: [
    { taskId: "ok", name: "Ok", approval: { message: "May it?" } },
    { taskId: "paid", name: "Paid", wait: { signal: "paid" } },
  ],
};
const PEOPLE = { approvals: { ok: { after: { p50: "10m", p95: "2h" } } }, signals: { paid: { after: "3h" } } };

test("people and signals come as described, and days of waiting take no time", async () => {
  const report = await run({ workflow: WAITS, agents: PEOPLE });
  assert.equal(report.counts.completed, 60);
  const [ok, paid] = report.steps;
  assert.ok(ok !== undefined && ok.waitMs.p50 > 300_000 && ok.waitMs.p50 < 1_200_000);
  assert.equal(paid?.count, 60);
  const rejected = await run({ workflow: WAITS, agents: { ...PEOPLE, approvals: { ok: { approve: "50%" } } } });
  assert.ok(rejected.counts.failed > 15 && rejected.counts.failed < 45);
});

test("whoever waits for somebody who never comes is stuck, and that is no success", async () => {
  const report = await run({ workflow: WAITS, agents: { ...PEOPLE, approvals: { default: { never: "10%" } } } });
  assert.ok(report.counts.stuck > 0 && report.counts.stuck + report.counts.completed === 60);
  assert.ok(!report.isGood);
  assert.match(report.badEnds[0]?.message ?? "", /`ok`/);
});

test("workflows within workflows are simulated and forgotten with them", async () => {
  const workflow = {
    id: "outer",
    name: "Outer",
    tasks: [{ taskId: "in", name: "In", workflow: { id: "w" }, forEach: "[1, 2]" }],
  };
  const report = await run({ workflow, others: [WORKFLOW], sessions: 300, arrivals: "12/min" });
  assert.equal(report.counts.completed, 300);
  assert.deepEqual(
    report.steps.map(({ step, count }) => [step, count]),
    [
      ["w/read", 600],
      ["w/think", 600],
    ],
  );
});

test("a result comes from the description, by step or for all, else from the step's schema, else it is null", async () => {
  const step = (taskId: string, rest: JsonObject = {}) => ({ taskId, name: "S", agentCapability: "a", ...rest });
  const schema = { type: "object", required: ["n"], properties: { n: { type: "integer", minimum: 3 } } };
  const workflow = {
    id: "w",
    name: "W",
    tasks: [step("all"), step("own"), step("fits", { agentCapability: "b", output: { schema } })],
    output: "${{ [steps.all.result, steps.own.result, steps.fits.result.n] == ['x', 'y', 3] ? 1 : 1 / 0 }}",
  };
  const agents = [
    { name: "a", capabilities: ["a"], result: "x", results: { own: "y" } },
    { name: "b", capabilities: ["b"] },
  ];
  assert.equal((await run({ workflow, agents: { agents } })).counts.completed, 60);
});

test("a description that is wrong is refused with every place", async () => {
  const agents = {
    agents: [
      { name: "a", latency: { p50: "2s", p95: "1s" }, errors: "200%", colour: "red" },
      { name: "a", count: 0 },
    ],
    approvals: { ok: { after: "soon" } },
  };
  assert.deepEqual(await refusal({ agents }), [
    "agents.0.latency: p95: must not be shorter than `p50`",
    'agents.0.errors: must be a share such as "2%" or 0.02',
    "agents.0.colour: Unknown field",
    "agents.1.count: Too small: expected number to be >=1",
    'approvals.ok.after: must be a whole number and a unit, such as "250ms", "30s", "2m", "24h" or "7d", not "soon"',
  ]);
  assert.deepEqual(await refusal({ agents: { agents: [READER, READER] } }), [
    "agents.1.name: `reader` is there twice; use count",
  ]);
  assert.match((await refusal({ agents: "agents: [" }))[0] ?? "", /^agents: line 1, column \d+: /);
  assert.match((await refusal({ arrivals: "often" }))[0] ?? "", /^arrivals: must be "at-once"/);
  assert.match((await refusal({ target: "fast" }))[0] ?? "", /^target: must be a latency/);
});

test("a description that does not go with the workflow is refused", async () => {
  assert.deepEqual(await refusal({ agents: { agents: [READER] } }), [
    "agents: no agent has the capability `think`, which step `think` needs",
  ]);
  const undecided = await refusal({ workflow: WAITS, agents: {} });
  assert.match(undecided[0] ?? "", /^approvals: nobody decides step `ok`; describe it/);
  assert.match(undecided[1] ?? "", /^signals: nobody sends `paid`, which step `paid` waits for/);
});

test("a field that an expression asks for in vain is named, with the agent that is to give it", async () => {
  const [issue] = await refusal({ agents: { agents: [{ ...READER, result: { title: "x" } }, THINKER] } });
  assert.match(
    issue ?? "",
    /^agents\.0\.results\.read: .*step `think` still fails: parameters\.text: .*steps\.read\.result\.text/,
  );
});
