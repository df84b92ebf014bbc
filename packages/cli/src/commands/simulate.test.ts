import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import type { SimulateReport } from "@opspawn/testing/simulate";
import { FakeIo, type Ran } from "../fake-io.ts";

let io: FakeIo;
beforeEach(() => {
  io = new FakeIo();
  for (const name of ["review.yaml", "agents.yaml"]) {
    io.file(name, readFileSync(new URL(`../../../../examples/simulate/${name}`, import.meta.url), "utf8"));
  }
});
afterEach(() => io.remove());

function simulate(...rest: string[]): Promise<Ran> {
  return io.run(["simulate", "review.yaml", "--agents", "agents.yaml", "--sessions", "60", ...rest]);
}

test("the example is simulated, and the report fits 80 columns", async () => {
  const { exitCode, stdout, stderr } = await simulate();
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^Completed +60 of 60, /m);
  assert.match(stdout, /^Sessions +60, arriving poisson:2\/s; seed 1$/m);
  assert.match(stdout, /^STEP +RUNS +WAIT P50 +P95 +WORK P50 +P95 +RETRIES +WAITS FOR$/m);
  assert.match(stdout, /^summarise /m);
  assert.match(stdout, /^writer +agent +6 +2 +\d+ %/m);
  assert.match(stdout, /sessions\/s, [\d,]+ x real time/);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("a target decides how it ends, and what it takes is found", async () => {
  const met = await simulate("--sessions", "20", "--target", "p95 < 10m", "-o", "json");
  assert.equal(met.exitCode, 0);
  const report = JSON.parse(met.stdout) as SimulateReport;
  assert.deepEqual([report.isGood, report.target?.isMet, report.counts.completed], [true, true, 20]);
  assert.deepEqual(Object.keys(report.target?.search.needed ?? {}), ["reader", "scorer", "writer"]);
  const missed = await simulate("--sessions", "20", "--rate", "10/s", "--target", "p95 < 1s");
  assert.equal(missed.exitCode, 1);
  assert.match(missed.stdout, /^Target +p95 < 1s: missed, it is /m);
  for (const line of missed.stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("faults are planted, and what fails is told as a story within 80 columns", async () => {
  const faulty = await simulate("--faults", "crashes=10s,lost-answers=5%,duplicates=5%", "--seed", "7");
  assert.equal(faulty.exitCode, 0, faulty.stderr);
  assert.match(faulty.stdout, /60 of 60, .* a minute; the server died \d+ times/);
  const agents = readFileSync(new URL("../../../../examples/simulate/agents.yaml", import.meta.url), "utf8");
  io.file("agents.yaml", agents.replace("errors: 1%", "permanentErrors: 30%"));
  const { exitCode, stdout } = await simulate();
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+ failed \(described_permanent_error, step score\), such as session \d+$/m);
  assert.match(stdout, /^ {2}\+.* #1\/score attempt\.failed/m);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("what is wrong is refused with its place", async () => {
  assert.match((await simulate("--target", "soon")).stderr, /target: must be a latency such as/);
  io.file("agents.yaml", "agents: [{ name: reader, latency: fast }]");
  const bad = await simulate();
  assert.equal(bad.exitCode, 2);
  assert.match(bad.stderr, /^Error: The description of the agents cannot be used:\n {2}agents\.0\.latency: must be/);
  const faults = await simulate("--faults", "floods=1%");
  assert.match(faults.stderr, /--faults: "floods=1%" is none\.\nWrite --faults crashes=1h/);
  assert.match((await simulate("--rate", "1/s", "--arrivals", "2/s")).stderr, /Give --rate or --arrivals/);
  io.file("agents.yaml", "- reader");
  assert.match((await simulate()).stderr, /agents\.yaml describes no agents: it must be an object/);
});
