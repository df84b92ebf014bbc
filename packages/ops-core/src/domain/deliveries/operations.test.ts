import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";
import type { Delivery } from "./delivery.ts";

const DELIVERIES = "/v1/opscore/deliveries";
const NOW = 1_700_000_000_000_000;

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

function delivery(more: Partial<Delivery>): Delivery {
  return {
    id: "dlv_1",
    kind: "webhook",
    url: "http://127.0.0.1:9009/hook",
    headers: { "x-planted": "planted-secret" },
    body: '{"planted":"planted-body"}',
    aggregate: "s1",
    agentId: null,
    sessionId: "s1",
    cancellationId: null,
    status: "pending",
    attempts: 0,
    createdAt: NOW,
    nextAt: NOW,
    endedAt: null,
    lastError: null,
    ...more,
  };
}

test("a delivery shows how far it is, and neither its headers nor its body", async () => {
  await app.app.store.deliveries.enqueue(delivery({}));
  const shown = await app.ok("GET", `${DELIVERIES}/dlv_1`);
  assert.deepEqual(shown, {
    deliveryId: "dlv_1",
    kind: "webhook",
    url: "http://127.0.0.1:9009/hook",
    agentId: null,
    sessionId: "s1",
    status: "pending",
    attempts: 0,
    createdAt: "2023-11-14T22:13:20.000000Z",
    nextAttemptAt: "2023-11-14T22:13:20.000000Z",
    endedAt: null,
    lastError: null,
    blocked: {
      reason: "delivery_due",
      message: "It is due, and is sent as soon as there is room.",
      since: "2023-11-14T22:13:20.000000Z",
      details: { attempts: 0 },
    },
  });
  assert.equal((await app.call("GET", `${DELIVERIES}/nothing`)).body.code, "delivery_not_found");
});

test("a delivery whose sends failed says why it waits, until it has ended", async () => {
  const { deliveries } = app.app.store;
  await deliveries.enqueue(delivery({}));
  await deliveries.failed("dlv_1", 1, "HTTP 500", NOW + 5_000_000);
  const blocked = (await app.ok("GET", `${DELIVERIES}/dlv_1`)).blocked as JsonObject;
  assert.equal(blocked.reason, "delivery_backoff");
  assert.match(blocked.message as string, /Its first send failed with: HTTP 500.*due 2023-11-14T22:13:25/);
  await deliveries.failed("dlv_1", 2, "HTTP 500", null);
  const ended = await app.ok("GET", `${DELIVERIES}/dlv_1`);
  assert.equal(ended.status, "failed");
  assert.equal(ended.blocked, null);
});

test("deliveries are listed newest first, by status, agent and session", async () => {
  const { deliveries } = app.app.store;
  await deliveries.enqueue(delivery({ id: "dlv_1" }));
  await deliveries.enqueue(delivery({ id: "dlv_2", kind: "notification", agentId: "a1", sessionId: null }));
  await deliveries.delivered("dlv_2", 1);
  const found = async (query: string) =>
    ((await app.ok("GET", `${DELIVERIES}?${query}`)).items as JsonObject[]).map(({ deliveryId }) => deliveryId);
  assert.deepEqual(await found(""), ["dlv_2", "dlv_1"]);
  assert.deepEqual(await found("status=delivered"), ["dlv_2"]);
  assert.deepEqual(await found("agent=a1"), ["dlv_2"]);
  assert.deepEqual(await found("session=s1"), ["dlv_1"]);
});

test("why: what goes before a delivery, what became of its sends, how it ended; each reason is a filter", async () => {
  const { deliveries } = app.app.store;
  for (const id of ["dlv_1", "dlv_2"]) await deliveries.enqueue(delivery({ id }));
  await deliveries.enqueue(delivery({ id: "dlv_3", aggregate: "s2" }));
  const why = async (id: string) => {
    const { status, blocked, explanation } = await app.ok("GET", `${DELIVERIES}/${id}/why`);
    return [status, (blocked as JsonObject | null)?.reason ?? null, (explanation as string[]).at(-1)];
  };
  const listed = async (reason: string) =>
    ((await app.ok("GET", `${DELIVERIES}?blockedReason=${reason}`)).items as JsonObject[]).map((each) => {
      assert.equal((each.blocked as JsonObject).reason, reason);
      return each.deliveryId;
    });
  await deliveries.failed("dlv_1", 1, "HTTP 500", NOW + 5_000_000);
  assert.deepEqual(await why("dlv_1"), [
    "pending",
    "delivery_backoff",
    "Its first send failed with: HTTP 500. The next is due 2023-11-14T22:13:25.000000Z.",
  ]);
  const behind = "Delivery dlv_1 goes to the same receiver before it.";
  assert.deepEqual(await why("dlv_2"), ["pending", "delivery_behind", behind]);
  assert.deepEqual(
    await Promise.all(["delivery_backoff", "delivery_behind", "delivery_due", "bad_weather"].map(listed)),
    [["dlv_1"], ["dlv_2"], ["dlv_3"], []],
  );
  await deliveries.failed("dlv_1", 2, "HTTP 500", null);
  assert.deepEqual(await why("dlv_1"), [
    "failed",
    null,
    "It was given up at 2023-11-14T22:13:20.000000Z after 2 sends: HTTP 500",
  ]);
  assert.deepEqual((await why("dlv_2"))[1], "delivery_due");
  await deliveries.delivered("dlv_2", 1);
  assert.deepEqual(await why("dlv_2"), ["delivered", null, "It arrived at 2023-11-14T22:13:20.000000Z, with 1 send."]);
});
