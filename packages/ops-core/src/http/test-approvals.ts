import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import type { TestApp } from "../app/test-app.ts";

export const APPROVALS = "/v1/opscore/approvals";
export const SESSIONS = "/v1/opscore/sessions";

/** Starts a session that asks at once, and tells which approval that is. */
export async function ask(app: TestApp, approval: JsonObject = {}): Promise<{ session: string; approval: string }> {
  const workflow = { id: "publish", tasks: [{ taskId: "ok", approval: { message: "Publish?", ...approval } }] };
  const { sessionId } = await app.ok("POST", SESSIONS, { body: { workflow } });
  const { items } = await app.ok("GET", `${APPROVALS}?session=${sessionId}`);
  const [asked] = items as JsonObject[];
  assert.ok(asked);
  return { session: sessionId as string, approval: asked.approvalId as string };
}

/** The secret of a new key. */
export async function keyFor(app: TestApp, name: string, scopes: string[], more: JsonObject = {}): Promise<string> {
  return (await app.ok("POST", "/v1/opscore/keys", { body: { name, scopes, ...more } })).secret as string;
}
