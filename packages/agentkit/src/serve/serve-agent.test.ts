import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { formatTime, OpspawnError, signAgentKit } from "@opspawn/contract";
import { TaskFailure } from "@opspawn/sdk";
import type { AgentOptions } from "./agent-options.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakePlatform } from "./fake-platform.ts";
import { type ServedAgent, serveAgent } from "./serve-agent.ts";
import type { AgentTask } from "./task.ts";

const SECOND = 1_000_000;

describe("an agent served over HTTP", () => {
  let platform: FakePlatform;
  let clock: FakeClock;
  let agents: ServedAgent[];
  let folder: string;

  beforeEach(async () => {
    platform = new FakePlatform();
    clock = new FakeClock();
    agents = [];
    folder = await mkdtemp(path.join(tmpdir(), "agent-"));
    await platform.start();
  });

  afterEach(async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  async function serve(options: Partial<AgentOptions> = {}): Promise<ServedAgent> {
    const agent = await serveAgent({
      name: "adder",
      version: "1.2",
      ...("handle" in options ? {} : { handlers: { add: ({ parameters: { a, b } }) => Number(a) + Number(b) } }),
      platform: { url: platform.url },
      clock,
      chance: { fraction: () => 0.5, id: () => "id" },
      ...options,
    });
    agents.push(agent);
    return agent;
  }

  function message(changes: object = {}): string {
    return JSON.stringify({
      senderId: "opscore",
      timestamp: formatTime(clock.now()),
      messageType: "workflow_task",
      payload: { a: 2, b: 3 },
      sessionContext: { sessionId: "ses", priorMessages: [] },
      task_name: "add",
      opscore_session_id: "ses",
      opscore_task_id: "task_1",
      opspawn: {
        taskId: "task_1",
        attempt: 1,
        token: "1.secret",
        resultUrl: `${platform.url}/v1/opscore/tasks/task_1/result`,
        deadline: formatTime(clock.now() + 60 * SECOND),
      },
      ...changes,
    });
  }

  async function post(agent: ServedAgent, body: string, headers: Record<string, string> = {}) {
    const response = await fetch(agent.url, { method: "POST", body, headers });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      headers: response.headers,
    };
  }

  test("a handler does an effect under the platform's key, and tells of it by the task's token", async () => {
    const answer = { effectId: "charge", idempotencyKey: "eff_1", status: "intended", again: false, receipt: null };
    platform.reply = ({ path: at }) => (at.endsWith("/effects") ? { status: 200, body: answer } : undefined);
    const agent = await serve({ handle: ({ effect }) => effect("charge", { amount: 7 }, (key) => `paid with ${key}`) });
    const { body } = await post(agent, message(), { "idempotency-key": "task_1" });
    assert.equal(body.result, "paid with eff_1");
    const said = platform.received.filter(({ path: at }) => at.includes("/effects"));
    assert.deepEqual(
      said.map(({ path: at, body: told }) => [at, told]),
      [
        ["/v1/opscore/tasks/task_1/effects", { token: "1.secret", effectId: "charge", payload: { amount: 7 } }],
        [
          "/v1/opscore/tasks/task_1/effects/charge/receipt",
          { token: "1.secret", status: "done", result: "paid with eff_1" },
        ],
      ],
    );
    const alone = await post(agent, message({ opspawn: null }), { "idempotency-key": "mine" });
    assert.equal(alone.body.result, "paid with mine/charge");
  });

  test("it registers itself with its capabilities and slots, then reports `idle` with the key it was given", async () => {
    const ready: string[] = [];
    const agent = await serve({ maxConcurrency: 3, onReady: ({ agentId }) => ready.push(agentId) });
    assert.deepEqual(platform.received[0], {
      method: "POST",
      path: "/v1/agents/register",
      key: null,
      body: {
        agentName: "adder",
        version: "1.2",
        capabilities: ["add"],
        contactEndpoint: agent.url,
        metadata: { description: null, config: { maxConcurrency: 3, cancel: true } },
      },
    });
    const report = platform.received[1];
    assert.deepEqual([report?.path, report?.key], ["/v1/opscore/agent/agent-1/state", "opk_agent_1"]);
    assert.deepEqual(report?.body, {
      agentId: "agent-1",
      timestamp: formatTime(clock.now()),
      state: "idle",
      details: { reason: "started" },
    });
    assert.deepEqual(ready, ["agent-1"]);
  });

  test("a quick task is answered with its result", async () => {
    const { status, body } = await post(await serve(), message());
    assert.deepEqual([status, body], [200, { status: "completed", result: 5 }]);
  });

  test("a failed task is answered with its code and whether trying again helps", async () => {
    const handle = () => {
      throw new TaskFailure("The page is gone.", { code: "no_such_page", retryable: false });
    };
    const { status, body } = await post(await serve({ handle }), message());
    const error = { code: "no_such_page", message: "The page is gone.", retryable: false };
    assert.deepEqual([status, body], [200, { status: "failed", error }]);
  });

  test("a slow task is acknowledged, and its result posted later with the token", async () => {
    const slow = Promise.withResolvers<string>();
    const agent = await serve({ handle: () => slow.promise, answerWithin: "5s" });
    const answer = post(agent, message());
    await clock.armed(5 * SECOND);
    clock.advance(5 * SECOND);
    assert.deepEqual([(await answer).status, (await answer).body], [202, { status: "acknowledged" }]);
    slow.resolve("done");
    const { body, key } = await platform.request("/result");
    assert.deepEqual([body, key], [{ token: "1.secret", status: "completed", result: "done" }, null]);
  });

  test("a caller that hangs up gets the result by a call", async () => {
    const slow = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    const agent = await serve({
      handle: () => {
        begun.resolve();
        return slow.promise;
      },
    });
    const call = httpRequest(agent.url, { method: "POST" });
    call.on("error", () => undefined);
    call.end(message());
    await begun.promise;
    call.destroy();
    // One round trip later the agent has seen the connection end.
    await (await fetch(new URL("/health", agent.url))).text();
    slow.resolve("done");
    assert.equal((await platform.request("/result")).body.result, "done");
  });

  test("a result goes nowhere but to the platform: for another address the answer is waited for", async () => {
    const slow = Promise.withResolvers<string>();
    const agent = await serve({ handle: () => slow.promise });
    const opspawn = { ...JSON.parse(message()).opspawn, resultUrl: "http://attacker.example/collect" };
    const answer = post(agent, message({ opspawn }));
    await clock.armed(60 * SECOND);
    clock.advance(6 * SECOND);
    slow.resolve("done");
    assert.deepEqual((await answer).body, { status: "completed", result: "done" });
  });

  test("handlers are found by capability, else by the task's name; an unknown one is refused for good", async () => {
    const agent = await serve({ handlers: { "text.up": () => "up", "text.down": () => "down" } });
    const { opspawn } = JSON.parse(message());
    const ask = async (capability: string | null, task_name: string | null, taskId: string) =>
      (await post(agent, message({ task_name, opspawn: { ...opspawn, taskId, capability } }))).body;
    assert.equal((await ask("text.up", "Shout it", "t1")).result, "up");
    assert.equal((await ask(null, "text.down", "t2")).result, "down");
    assert.deepEqual(await ask("text.sideways", "text.up", "t3"), {
      status: "failed",
      error: {
        code: "capability_unknown",
        message: "This agent does text.up, text.down; it was asked for text.sideways.",
        retryable: false,
      },
    });
  });

  test("a message from another agent, without a ticket, is answered too", async () => {
    const { body } = await post(await serve(), message({ opspawn: undefined, sessionContext: null }));
    assert.deepEqual(body, { status: "completed", result: 5 });
  });

  test("what is no task is refused with a JSON answer that names the fault", async () => {
    const agent = await serve({ maxBody: 2_000 });
    const cases: [string, number, string][] = [
      ["{", 400, "json_invalid"],
      ["[]", 400, "message_invalid"],
      [message({ payload: [] }), 400, "message_invalid"],
      [message({ messageType: 7 }), 400, "message_invalid"],
      [message({ opspawn: { taskId: "t" } }), 400, "message_invalid"],
      [message({ opspawn: { ...JSON.parse(message()).opspawn, deadline: "soon" } }), 400, "message_invalid"],
      [message({ payload: { text: "x".repeat(3_000) } }), 413, "body_too_large"],
    ];
    for (const [body, status, code] of cases) {
      const answer = await post(agent, body);
      assert.deepEqual([answer.status, answer.body.code, typeof answer.body.detail], [status, code, "string"]);
    }
    assert.match(String((await post(agent, message({ payload: null }))).body.detail), /payload must be a JSON object/);
  });

  test("a body that does not say how long it is, is cut at the limit", async () => {
    const agent = await serve({ maxBody: 2_000 });
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1_000))),
    });
    const answer = fetch(agent.url, { method: "POST", body: stream, duplex: "half" } as RequestInit);
    const status = await answer.then((response) => response.status).catch(() => "cut");
    assert.ok(status === 413 || status === "cut");
  });

  test("other paths are 404, other methods 405, and health says whether it is registered", async () => {
    const agent = await serve();
    const get = async (where: string, method = "GET") => {
      const response = await fetch(new URL(where, agent.url), { method });
      return [response.status, await response.json(), response.headers.get("allow")];
    };
    assert.deepEqual(await get("/health"), [200, { status: "healthy", agent_id: "agent-1" }, null]);
    assert.equal((await get("/nowhere"))[0], 404);
    assert.deepEqual((await get("/")).toSpliced(1, 1), [405, "POST"]);
    assert.deepEqual((await get("/health", "POST")).toSpliced(1, 1), [405, "GET"]);
  });

  test("with a secret, only deliveries signed with it are taken", async () => {
    const agent = await serve({ secret: "s3cret" });
    const body = message();
    const sign = (secret: string, now = clock.now()) => signAgentKit({ secret, body, now });
    assert.equal((await post(agent, body)).status, 401);
    assert.equal((await post(agent, body, sign("other"))).status, 401);
    assert.equal((await post(agent, body, sign("s3cret", clock.now() - 600 * SECOND))).status, 401);
    assert.equal((await post(agent, `${body} `, sign("s3cret"))).status, 401);
    assert.equal((await post(agent, body, sign("s3cret"))).status, 200);
  });

  test("it waits for a platform that is not up yet", async () => {
    let calls = 0;
    platform.reply = () => (++calls < 3 ? { status: 503 } : undefined);
    const starting = serve();
    await clock.armed(187_500);
    clock.advance(187_500);
    await clock.armed(375_000);
    clock.advance(375_000);
    assert.equal((await starting).agentId, "agent-1");
  });

  test("a platform that stays away is named after `registerWithin`", async () => {
    const { url } = platform;
    platform.reply = () => ({ status: 503, body: { detail: "Starting" } });
    await assert.rejects(serve({ registerWithin: "0s" }), (error) => {
      assert.ok(error instanceof OpspawnError);
      assert.equal(error.code, "upstream_unreachable");
      assert.ok(error.message.includes(`${url} could not be reached (503: Starting)`));
      return true;
    });
  });

  test("after a restart it presents the key it kept, and keeps its id", async () => {
    const identityFile = path.join(folder, "keys", "adder.json");
    await (await serve({ identityFile })).stop();
    assert.equal((await stat(identityFile)).mode & 0o777, 0o600);
    assert.equal(JSON.parse(await readFile(identityFile, "utf8")).key, "opk_agent_1");
    platform.reply = ({ path: at, key }) =>
      at.endsWith("/register") && key !== "opk_agent_1" ? { status: 409, body: { detail: "taken" } } : undefined;
    assert.equal((await serve({ identityFile })).agentId, "agent-1");
  });

  test("a kept key that the platform does not know any more does not keep it out", async () => {
    const identityFile = path.join(folder, "adder.json");
    await (await serve({ identityFile })).stop();
    platform.reply = ({ key }) => (key === "opk_agent_1" ? { status: 401 } : undefined);
    assert.equal((await serve({ identityFile })).agentId, "agent-1");
  });

  test("a name that another agent has is told clearly", async () => {
    platform.reply = () => ({ status: 409, body: { detail: "Agent with name 'adder' already registered." } });
    await assert.rejects(serve(), { code: "agent_name_taken", message: /named "adder" is registered already/ });
    await assert.rejects(serve({ platform: { url: platform.url, key: "k" } }), { code: "agent_name_taken" });
    assert.deepEqual(
      platform.received.map(({ key }) => key),
      [null, "k", null],
    );
  });

  test("a wrong option is refused before anything is opened", async () => {
    const wrong: [Partial<AgentOptions>, RegExp][] = [
      [{ answerWithin: "soon" }, /answerWithin must be a duration/],
      [{ maxConcurrency: 0 }, /maxConcurrency/],
      [{ handlers: {} }, /handlers must hold at least one/],
      [{ handle: () => 1, handlers: { a: () => 1 } }, /handlers or `handle`/],
      [{ platform: { url: "ftp://h" } }, /http or https/],
    ];
    for (const [options, expected] of wrong) await assert.rejects(serve(options), { message: expected });
    assert.deepEqual(platform.received, []);
  });

  test("a stop reports `finished`, refuses new tasks, waits for those in hand, and may be asked for twice", async () => {
    const slow = Promise.withResolvers<string>();
    const agent = await serve({ handle: () => slow.promise });
    const answer = post(agent, message());
    await clock.armed(5 * SECOND);
    assert.equal(agent.tasksInHand, 1);
    const stopped = Promise.all([agent.stop(), agent.stop()]);
    assert.equal((await post(agent, message())).status, 503);
    slow.resolve("done");
    assert.deepEqual((await answer).body, { status: "completed", result: "done" });
    await stopped;
    const states = platform.received.flatMap(({ body }) => body.state ?? []);
    assert.deepEqual(states, ["idle", "finished"]);
    await assert.rejects(fetch(agent.url));
  });

  test("a cancel message aborts the handler's signal; the agent acknowledges it, and says when the handler has ended", async () => {
    const end = Promise.withResolvers<void>();
    const handle = async ({ signal }: AgentTask) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await end.promise;
      throw signal.reason;
    };
    const agent = await serve({ handle });
    const answer = post(agent, message());
    await clock.armed(5 * SECOND);
    clock.advance(5 * SECOND);
    assert.equal((await answer).status, 202);
    const payload = { taskId: "task_1", cancellationId: "can_1", reason: "no more", deadline: formatTime(clock.now()) };
    const cancel = await post(agent, message({ messageType: "cancel", payload }));
    assert.deepEqual([cancel.status, cancel.body], [202, { status: "acknowledged" }]);
    assert.equal(agent.tasksInHand, 1);
    end.resolve();
    const { body, path: where, key } = await platform.request("/cancellation");
    assert.deepEqual(
      [where, body],
      ["/v1/opscore/tasks/task_1/cancellation", { token: "1.secret", status: "stopped" }],
    );
    assert.equal(key, null);
  });
});
