import assert from "node:assert/strict";
import { SECOND } from "../../domain/clock.ts";
import { cancelled, confirm, LISTENS, messageOf, said } from "./test-cancellations.ts";
import type { Suite } from "./test-rig.ts";

/** Messages that tell agents to stop. */
export const cancelMessagesSuite: Suite = (on) => {
  on("an agent that takes cancel messages is sent one, that names the attempt", async (w) => {
    const { attempt, agentId, one } = await cancelled(w, LISTENS, { timeout: 40 * SECOND });
    const [message] = await w.store.deliveries.due(5, ["message"]);
    assert.deepEqual([message?.url, message?.agentId], ["http://worker.test/", agentId]);
    assert.equal(message?.cancellationId, (await one()).id);
    assert.partialDeepStrictEqual(JSON.parse(message?.body ?? ""), {
      taskId: attempt.taskId,
      token: attempt.token,
      attempt: 1,
      cancellationId: (await one()).id,
      reason: "no more",
      deadline: w.clock.now() + 40 * SECOND,
    });
  });

  on("its message waits for no other one to the same agent", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], ...LISTENS });
    const talk = { kind: "message", url: "http://worker.test/", aggregate: agentId, agentId } as const;
    await w.store.deliveries.enqueue(w.delivery(talk));
    const { id } = await w.task();
    await w.store.tasks.cancel(id, "no more");
    assert.equal((await w.store.deliveries.due(5, ["message"])).length, 2);
  });

  on("the answer to the message is a word, too; one that says nothing shows that it arrived", async (w) => {
    for (const [status, stage, evidence] of [
      [null, "delivered", null],
      ["acknowledged", "acknowledged", null],
      ["stopped", "stopped", "answer"],
      ["refused", "refused", "answer"],
    ] as const) {
      const { one } = await cancelled(w, LISTENS);
      const { id } = await one();
      const receipt = status === null ? null : { status, note: null };
      await w.store.deliveries.told(await messageOf(w), 1, id, receipt);
      assert.deepEqual(said(await one()), [stage, evidence, null]);
      assert.equal((await one()).deliveredAt, w.clock.now());
      const { items } = await w.store.deliveries.list({ limit: 1 }, {});
      assert.equal(items[0]?.status, "delivered");
    }
  });

  on(
    "a message that cannot be delivered gives the cancellation up, unless the agent has been heard of since",
    async (w) => {
      const { one } = await cancelled(w, LISTENS);
      const { id } = await one();
      await w.store.deliveries.untold(await messageOf(w), 1, id, "The receiver answered 404.");
      assert.deepEqual(said(await one()), ["unreachable", null, "The receiver answered 404."]);
      const next = await cancelled(w, LISTENS);
      const delivery = await messageOf(w);
      await confirm(w, next.attempt, "acknowledged", null);
      await w.store.deliveries.untold(delivery, 1, (await next.one()).id, "The receiver answered 404.");
      assert.equal((await next.one()).stage, "acknowledged");
    },
  );

  on("a message that is still to be sent when all is over is not sent", async (w) => {
    const { attempt, one } = await cancelled(w, LISTENS);
    const other = await w.delivery({ kind: "message", aggregate: "x" });
    await w.store.deliveries.enqueue(other);
    const delivery = await messageOf(w);
    await confirm(w, attempt, "stopped", null);
    const left = await w.store.deliveries.due(5, ["message"]);
    assert.deepEqual(
      left.map(({ id }) => id),
      [other.id],
    );
    // What its answer says counts all the same.
    await w.store.deliveries.told(delivery, 1, (await one()).id, { status: "refused", note: null });
    assert.equal((await one()).stage, "stopped");
  });
};
