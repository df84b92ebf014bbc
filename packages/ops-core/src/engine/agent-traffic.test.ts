import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE } from "../domain/clock.ts";
import { TestClock } from "../system/test-clock.ts";
import { AgentTraffic } from "./agent-traffic.ts";

function setUp() {
  const clock = new TestClock();
  const task = (token: string, minutes: number) => ({ lease: "l", token, deadline: clock.now() + minutes * MINUTE });
  return { clock, task, traffic: new AgentTraffic(clock) };
}

test("a task is open to its deadline, once however often it was sent", () => {
  const { clock, task, traffic } = setUp();
  const [short, long] = [task("1.a", 1), task("1.b", 2)];
  for (const each of [short, long, short]) traffic.addTask("agent", each);
  assert.deepEqual(traffic.openTasks("agent"), [long, short]);
  assert.deepEqual(traffic.openTasks("other"), []);
  clock.advance(MINUTE);
  assert.deepEqual(traffic.openTasks("agent"), [long]);
  clock.advance(MINUTE);
  assert.deepEqual(traffic.openTasks("agent"), []);
});

test("a message is remembered for ten minutes, for its agent", () => {
  const { clock, traffic } = setUp();
  assert.equal(traffic.hadMessage("agent"), false);
  traffic.addMessage("agent");
  clock.advance(10 * MINUTE);
  assert.deepEqual([traffic.hadMessage("agent"), traffic.hadMessage("other")], [true, false]);
  clock.advance(1);
  assert.equal(traffic.hadMessage("agent"), false);
});
