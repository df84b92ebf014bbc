// Followers of events while the server is killed under them, over real processes and connections.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { OpspawnClient, work } from "@opspawn/sdk";
import { freePort } from "../chaos/rig/server-process.ts";
import { startServer, type TestProcess } from "./split/processes.ts";

const KEY = "key-of-the-operator";
const KILLS = 2;
const SESSIONS = 8;
const WORKFLOW = { id: "flow", tasks: ["a", "b"].map((taskId) => ({ taskId, agentCapability: "stream.work" })) };

const folder = mkdtempSync(join(tmpdir(), "opspawn-streams-"));
let server: TestProcess | undefined;
after(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

async function start(port: number): Promise<void> {
  const env = { OPSCORE_API_KEY: KEY, LOG_LEVEL: "warn" };
  server = startServer(["--data", join(folder, "data"), "--port", String(port)], folder, env);
  await server.told("listening");
}

test("a server that is killed again and again tells each event once, in order, and ends the streams of what ended", async () => {
  const port = await freePort();
  await start(port);
  const client = new OpspawnClient({
    baseUrl: `http://127.0.0.1:${port}`,
    apiKey: KEY,
    timeout: "60s",
    maxRetries: 50,
  });
  const { agent } = await client.agents.register({
    agentName: "worker",
    capabilities: ["stream.work"],
    channel: "pull",
    maxConcurrency: 4,
  });
  const stop = new AbortController();
  const { signal } = stop;
  const working = work(client, { agentId: agent.agentId, concurrency: 4, signal, handler: () => ({ ok: true }) });
  const told: number[] = [];
  const following = (async () => {
    for await (const { position } of client.events.follow({ signal })) told.push(position);
  })();
  const sessions: Promise<[string, number[]]>[] = [];
  for (let kill = 0; kill <= KILLS; kill += 1) {
    for (let n = 0; n < SESSIONS; n += 1)
      sessions.push(follow((await client.sessions.start({ workflow: WORKFLOW })).sessionId));
    if (kill === KILLS) break;
    await server?.kill("SIGKILL");
    await start(port);
  }
  for (const [sessionId, sequences] of await Promise.all(sessions)) {
    const { items } = await client.sessions.events(sessionId, { limit: 200 });
    assert.deepEqual(
      sequences,
      items.map(({ sequence }) => sequence),
    );
    assert.equal(items.at(-1)?.type, "session.completed");
  }
  const last = await lastPosition();
  while (told.length < last) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    told.slice(0, last),
    Array.from({ length: last }, (_, i) => i + 1),
  );
  stop.abort();
  await Promise.all([following, working]);

  async function follow(sessionId: string): Promise<[string, number[]]> {
    const sequences: number[] = [];
    for await (const { sequence } of client.events.follow({ session: sessionId })) sequences.push(sequence);
    return [sessionId, sequences];
  }

  async function lastPosition(): Promise<number> {
    for (let position = 0; ; ) {
      const page = await client.events.list({ after: position, limit: 200 });
      if (page.items.length === 0) return position;
      position = page.next;
    }
  }
});
