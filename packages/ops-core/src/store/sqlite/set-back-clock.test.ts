import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR, SECOND } from "../../domain/clock.ts";
import { STEP_RETRY as RETRY } from "../../domain/tasks/retry.ts";
import { LastingClock } from "../../system/lasting-clock.ts";
import { TestClock } from "../../system/test-clock.ts";
import { World } from "../suite/test-world.ts";
import { fileRig } from "./test-rigs.ts";

/** A world in which each process takes its time from a machine whose clock may be set. */
async function onMachine(machine: TestClock): Promise<World> {
  const rig = await fileRig();
  return World.open({
    open: (ports) => rig.open({ ...ports, clock: new LastingClock(machine) }),
    remove: () => rig.remove(),
  });
}

test("what was ready before the machine's clock was set back is given out after it", async () => {
  const machine = new TestClock();
  const world = await onMachine(machine);
  await world.raw.process.beat();
  const task = await world.task({ readyAt: machine.now() });
  machine.advance(SECOND);
  await world.raw.process.beat();
  machine.advance(-HOUR);
  await world.crash();
  await world.agent("worker", { capabilities: ["work"] });
  await world.dispatch();
  assert.equal((await world.getTask(task.id)).status, "running");
  await world.close();
});

test("an attempt under way keeps its timeout when the machine's clock was set back", async () => {
  const machine = new TestClock();
  const world = await onMachine(machine);
  await world.raw.process.beat();
  await world.agent("worker", { capabilities: ["work"], timeout: 5 * SECOND });
  const task = await world.task({ readyAt: machine.now(), retry: { ...RETRY, maxAttempts: 1 } });
  await world.dispatch();
  machine.advance(-HOUR);
  await world.crash();
  for (let seconds = 0; seconds < 8; seconds += 1) {
    machine.advance(SECOND);
    await world.raw.process.beat();
    await world.expire();
  }
  assert.equal((await world.getTask(task.id)).error?.code, "timeout");
  await world.close();
});
