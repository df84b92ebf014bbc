import assert from "node:assert/strict";
import { DAY, MINUTE, SECOND } from "../../domain/clock.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, type World } from "./test-world.ts";

const KINDS = ["message", "task", "webhook", "notification", "result"] as const;
const due = async (w: World) => (await w.store.deliveries.due(100, KINDS)).map(({ id }) => id);

/** Messages that must arrive, in order per receiver. */
export const deliveriesSuite: Suite = (on) => {
  on("a delivery is due at once, is delivered once, and stays as it is then", async (w) => {
    const delivery = w.delivery({ headers: { "x-one": "1" }, body: '{"big":12345678901234567890}', sessionId: "s" });
    await w.store.deliveries.enqueue(delivery);
    assert.equal(w.hints.at(-1)?.deliveries, true);
    const [first] = await w.store.deliveries.due(10, KINDS);
    assert.deepEqual(first, { ...delivery, nextAt: w.clock.now() });
    await w.store.deliveries.delivered(delivery.id, 1);
    assert.deepEqual(await due(w), []);
    await w.store.deliveries.failed(delivery.id, 2, "late", w.clock.now());
    await w.store.deliveries.delivered(delivery.id, 1);
    const stored = need(await w.store.deliveries.get(delivery.id), "delivery");
    assert.deepEqual(
      [stored.status, stored.attempts, stored.endedAt, stored.nextAt, stored.lastError],
      ["delivered", 1, w.clock.now(), null, null],
    );
  });

  on("a failed delivery is due again at its time, until it is given up", async (w) => {
    const { id } = w.delivery();
    await w.store.deliveries.enqueue(w.delivery({ id }));
    await w.store.deliveries.failed(id, 1, "answered 500", w.clock.now() + 5 * SECOND);
    assert.deepEqual(await due(w), []);
    w.clock.advance(5 * SECOND - 1);
    assert.deepEqual(await due(w), []);
    w.clock.advance(1);
    assert.deepEqual(await due(w), [id]);
    await w.store.deliveries.failed(id, 2, "answered 500 again", null);
    const stored = need(await w.store.deliveries.get(id), "delivery");
    assert.deepEqual([stored.status, stored.attempts, stored.lastError], ["failed", 2, "answered 500 again"]);
    assert.deepEqual(await due(w), []);
  });

  on("hole 27: a sender that was overtaken writes nothing", async (w) => {
    const { id } = w.delivery();
    await w.store.deliveries.enqueue(w.delivery({ id }));
    await w.store.deliveries.failed(id, 1, "first", w.clock.now());
    await w.store.deliveries.failed(id, 1, "the same again", null);
    await w.store.deliveries.delivered(id, 1);
    await w.store.deliveries.delivered(id, 3);
    const stored = need(await w.store.deliveries.get(id), "delivery");
    assert.deepEqual([stored.status, stored.attempts, stored.lastError], ["pending", 1, "first"]);
  });

  on(
    "hole 27: only the oldest of each receiver and aggregate goes; the next waits until it has arrived or is given up",
    async (w) => {
      const ids: Record<string, string> = {};
      const enqueue = async (name: string, url: string, aggregate: string) => {
        const delivery = w.delivery({ url, aggregate });
        ids[name] = delivery.id;
        await w.store.deliveries.enqueue(delivery);
        w.clock.advance(1);
      };
      await enqueue("a1", "https://a.test/x", "one");
      await enqueue("a2", "https://a.test/y", "one");
      await enqueue("a3", "https://a.test/x", "one");
      await enqueue("other", "https://a.test/x", "two");
      await enqueue("b", "https://b.test/x", "one");
      const names = async () => {
        const found = new Set(await due(w));
        return Object.keys(ids).filter((name) => found.has(ids[name] ?? ""));
      };
      assert.deepEqual(await names(), ["a1", "other", "b"]);
      await w.store.deliveries.failed(ids.a1 ?? "", 1, "no", w.clock.now() + MINUTE);
      assert.deepEqual(await names(), ["other", "b"]);
      w.clock.advance(MINUTE);
      await w.store.deliveries.delivered(ids.a1 ?? "", 2);
      assert.deepEqual(await names(), ["a2", "other", "b"]);
      await w.store.deliveries.failed(ids.a2 ?? "", 1, "no", null);
      assert.deepEqual(await names(), ["a3", "other", "b"]);
    },
  );

  on("no more are due than asked for, the longest due first", async (w) => {
    for (const aggregate of ["x", "y", "z"]) {
      await w.store.deliveries.enqueue(w.delivery({ id: `dlv_${aggregate}`, aggregate }));
      w.clock.advance(1);
    }
    assert.deepEqual(
      (await w.store.deliveries.due(2, KINDS)).map(({ id }) => id),
      ["dlv_x", "dlv_y"],
    );
  });

  on("only the kinds asked for are due, without those that are under way", async (w) => {
    for (const kind of KINDS) {
      await w.store.deliveries.enqueue(w.delivery({ id: `dlv_${kind}`, aggregate: kind, kind }));
    }
    const { deliveries } = w.store;
    const names = async (...asked: Parameters<typeof deliveries.due>) =>
      (await deliveries.due(...asked)).map(({ id }) => id).sort();
    assert.deepEqual(await names(10, ["task"]), ["dlv_task"]);
    assert.deepEqual(await names(10, ["task", "result"], ["dlv_task", "dlv_webhook"]), ["dlv_result"]);
    assert.deepEqual(await names(10, []), []);
  });

  on("deliveries are listed newest first, by status, agent and session", async (w) => {
    for (let i = 0; i < 5; i += 1) {
      await w.store.deliveries.enqueue(
        w.delivery({ id: `dlv_${i}`, aggregate: `${i}`, agentId: i < 2 ? "a" : null, sessionId: `s${i}` }),
      );
    }
    await w.store.deliveries.delivered("dlv_3", 1);
    const list = async (filter: { status?: string; agent?: string; session?: string }) =>
      (await w.store.deliveries.list({ limit: 10 }, filter)).items.map(({ id }) => id);
    assert.deepEqual(await list({}), ["dlv_4", "dlv_3", "dlv_2", "dlv_1", "dlv_0"]);
    assert.deepEqual(await list({ status: "delivered" }), ["dlv_3"]);
    assert.deepEqual(await list({ agent: "a" }), ["dlv_1", "dlv_0"]);
    assert.deepEqual(await list({ session: "s2" }), ["dlv_2"]);
    const page = await w.store.deliveries.list({ limit: 2 }, {});
    const rest = await w.store.deliveries.list({ limit: 9, cursor: need(page.nextCursor, "cursor") }, {});
    assert.deepEqual(
      rest.items.map(({ id }) => id),
      ["dlv_2", "dlv_1", "dlv_0"],
    );
    assert.equal(await w.store.deliveries.get("dlv_none"), null);
  });

  on("deliveries that wait are listed by what they wait for", async (w) => {
    const { deliveries } = w.store;
    const [due, later, behind] = ["due", "later", "later"].map((aggregate) => w.delivery({ aggregate }));
    for (const delivery of [due, later, behind]) await deliveries.enqueue(need(delivery, "delivery"));
    await deliveries.failed(need(later, "delivery").id, 1, "no", w.clock.now() + MINUTE);
    const list = async (blockedReason: string) =>
      (await deliveries.list({ limit: 10 }, { blockedReason })).items.map(({ id }) => id);
    assert.deepEqual(await list("delivery_due"), [due?.id]);
    assert.deepEqual(await list("delivery_backoff"), [later?.id]);
    assert.deepEqual(await list("delivery_behind"), [behind?.id]);
    w.clock.advance(MINUTE);
    assert.deepEqual(new Set(await list("delivery_due")), new Set([due?.id, later?.id]));
    assert.deepEqual(await list("delivery_backoff"), []);
  });

  for (const kind of ["message", "task"] as const) {
    follows(on, kind);
    isWrittenMeanwhile(on, kind);
  }

  on("of two agents that move, messages follow each to its own place", async (w) => {
    const { store } = w;
    const ids = [await w.agent("one"), await w.agent("two")];
    const messages = ids.map((agentId, i) =>
      w.delivery({ kind: "message", url: `http://${i === 0 ? "one" : "two"}.test/`, aggregate: agentId, agentId }),
    );
    for (const message of messages) await store.deliveries.enqueue(message);
    for (const name of ["two", "one"]) {
      await w.agent(name, { endpoint: `http://new.test/${name}`, replace: "allowed" });
    }
    const urls = await Promise.all(messages.map(async ({ id }) => (await store.deliveries.get(id))?.url));
    assert.deepEqual(urls, ["http://new.test/one", "http://new.test/two"]);
  });

  on("an agent that used to ask for its work may be sent it from now on", async (w) => {
    const id = await w.agent("worker", { capabilities: ["work"], channel: "pull" });
    assert.equal(await w.agent("worker", { capabilities: ["work"], replace: "allowed" }), id);
    await w.task();
    assert.equal(w.take().endpoint, "http://worker.test/");
  });

  on("an agent that asks for its work from now on takes no messages any more", async (w) => {
    const { deliveries } = w.store;
    const agentId = await w.agent("worker");
    const messages = [1, 2].map(() => w.delivery({ kind: "message", url: "http://worker.test/", agentId }));
    const [before, after] = messages.map((message) => () => deliveries.enqueue(message));
    await before?.();
    await w.agent("worker", { channel: "pull", replace: "allowed" });
    await after?.();
    for (const { id } of messages) {
      const { status, lastError } = need(await deliveries.get(id), "message");
      assert.deepEqual([status, lastError], ["failed", "The agent has no endpoint any more."]);
    }
  });

  on("news of an agent go to whom they are for, wherever that agent is, and when it is gone", async (w) => {
    const { deliveries } = w.store;
    const agentId = await w.agent("worker");
    const tell = async (aggregate: string) => {
      const news = w.delivery({ kind: "notification", aggregate, agentId });
      await deliveries.enqueue(news);
      return (await deliveries.due(10, ["notification"])).find(({ id }) => id === news.id)?.url;
    };
    const url = "https://receiver.test/hook";
    assert.equal(await tell("registered"), url);
    await w.store.agents.remove(agentId);
    assert.equal(await tell("deregistered"), url);
  });

  on("what follows from a delivery is stored with its end, and only by the attempt that wrote it", async (w) => {
    const { deliveries } = w.store;
    const first = w.delivery({ aggregate: "first" });
    const second = w.delivery({ aggregate: "second" });
    const follow = (name: string) => w.delivery({ id: `dlv_${name}`, aggregate: name, kind: "result" });
    for (const delivery of [first, second]) await deliveries.enqueue(delivery);
    await deliveries.delivered(first.id, 1, follow("a"));
    await deliveries.delivered(first.id, 1, follow("b"));
    await deliveries.failed(second.id, 1, "no", null, follow("c"));
    await deliveries.failed(second.id, 1, "no", null, follow("d"));
    assert.deepEqual(await due(w), ["dlv_a", "dlv_c"]);
  });

  on("a delivery asked for twice under one key is stored once", async (w) => {
    const idempotency = { actor: "a", operation: "o", key: "k", bodyHash: "h" };
    const enqueue = (id: string, bodyHash = "h") =>
      w.store.deliveries.enqueue(w.delivery({ id }), { ...idempotency, bodyHash });
    assert.deepEqual(await enqueue("dlv_1"), { replayed: false });
    assert.deepEqual(await enqueue("dlv_2"), { replayed: true });
    await assert.rejects(enqueue("dlv_3", "other"), { code: "idempotency_key_reused" });
    assert.deepEqual(await due(w), ["dlv_1"]);
  });

  on("deliveries outlive their process", async (w) => {
    await w.store.deliveries.enqueue(w.delivery({ id: "dlv_1" }));
    await w.crash();
    assert.deepEqual(await due(w), ["dlv_1"]);
  });

  on("an incoming message is seen once, until it may be forgotten", async (w) => {
    const until = w.clock.now() + 5 * MINUTE;
    assert.equal(await w.store.deliveries.remember("msg_1", until), true);
    assert.equal(await w.store.deliveries.remember("msg_1", until), false);
    assert.equal(await w.store.deliveries.remember("msg_2", until), true);
    await w.crash();
    assert.equal(await w.store.deliveries.remember("msg_1", until), false);
    w.clock.advance(DAY);
    assert.equal(await w.store.process.prune(100), 2);
    assert.equal(await w.store.deliveries.remember("msg_1", until + DAY), true);
  });
};

function follows(on: Declare, kind: "message" | "task"): void {
  on(`a ${kind} that waits for an agent follows it to its new place, and ends with it`, async (w) => {
    const { store } = w;
    const agentId = await w.agent("mover", { endpoint: "http://agent.test/old" });
    const known = need(await store.agents.get(agentId), "agent");
    const message = w.delivery({ kind, url: "http://agent.test/old", aggregate: agentId, agentId });
    const webhook = w.delivery({ url: "http://agent.test/old", aggregate: agentId, agentId });
    const notification = w.delivery({ ...webhook, id: "dlv_notification", kind: "notification", aggregate: "news" });
    const arrived = w.delivery({ ...message, id: "dlv_arrived", aggregate: "earlier" });
    for (const delivery of [message, webhook, notification, arrived]) await store.deliveries.enqueue(delivery);
    await store.deliveries.failed(message.id, 1, "refused", w.clock.now() + MINUTE);
    await store.deliveries.delivered(arrived.id, 1);
    const others = async () => {
      const found = await Promise.all([webhook, notification, arrived].map(({ id }) => store.deliveries.get(id)));
      // What goes before them is the message.
      return found.map((delivery) => ({ ...need(delivery, "delivery"), behind: null }));
    };
    const before = await others();
    const move = (endpoint: string) =>
      store.agents.register({ ...known, id: w.ids.uuid(), endpoint, replace: "allowed", key: null });
    await move("http://agent.test/old");
    assert.deepEqual((await store.deliveries.get(message.id))?.nextAt, w.clock.now() + MINUTE);
    await move("https://elsewhere.test/new");
    const moved = need(await store.deliveries.get(message.id), "message");
    assert.deepEqual([moved.url, moved.nextAt, moved.attempts], ["https://elsewhere.test/new", w.clock.now(), 1]);
    await store.agents.remove(agentId);
    const ended = need(await store.deliveries.get(message.id), "message");
    assert.deepEqual(
      [ended.status, ended.endedAt, ended.nextAt, ended.lastError],
      ["failed", w.clock.now(), null, "The agent was deregistered."],
    );
    assert.deepEqual(await others(), before);
  });
}

function isWrittenMeanwhile(on: Declare, kind: "message" | "task"): void {
  on(`a ${kind} that is written as its agent moves goes to the new place, and nowhere when it is gone`, async (w) => {
    const { deliveries } = w.store;
    const agentId = await w.agent("mover");
    const written = async (change: () => Promise<unknown>, url = "http://mover.test/") => {
      const message = w.delivery({ kind, url, aggregate: `${url} ${w.ids.uuid()}`, agentId });
      await Promise.all([deliveries.enqueue(message), change()]);
      return need(await deliveries.get(message.id), "message");
    };
    const { url, status } = await written(() => w.agent("mover", { endpoint: "http://new.test/", replace: "allowed" }));
    assert.deepEqual([url, status], ["http://new.test/", "pending"]);
    const gone = await written(() => w.store.agents.remove(agentId), "http://new.test/");
    assert.deepEqual(
      [gone.status, gone.endedAt, gone.nextAt, gone.lastError],
      ["failed", w.clock.now(), null, "The agent was deregistered."],
    );
    assert.deepEqual(await due(w), []);
  });
}
