import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import {
  FakeFailure,
  sampleAgent,
  sampleDelivery,
  sampleEvent,
  sampleKey,
  sampleLimit,
  sampleSession,
  sampleSessionDetail,
  sampleTask,
  sampleTool,
  sampleWorkflow,
} from "@opspawn/sdk/testing";
import { parse } from "yaml";
import { FakeCli } from "../fake-cli.ts";

const AT = "2026-05-01T12:00:00.000000Z";
const { agents, deliveries, events, keys, limits, sessions, tasks, tools, workflows } = operations;

const cli = new FakeCli(90_000_000);
const opspawn = cli.run;

const { stdoutOf } = cli;

const one = <T>(item: T) => ({ items: [item], nextCursor: null });
const long = "a name much longer than any table has room for, ".repeat(4);

test("every list fits 80 columns, whole ids included", async () => {
  cli.server
    .on(agents.list, one(sampleAgent({ agentName: long, capabilities: [long] })))
    .on(agents.states, one({ state: long, details: { long }, timestamp: AT, receivedAt: AT }))
    .on(sessions.list, one(sampleSession({ workflowId: long, status: "cancelled" })))
    .on(tasks.list, one(sampleTask({ name: long, error: { code: "agent_error", message: long } })))
    .on(workflows.list, one(sampleWorkflow({ id: long, name: long, version: long })))
    .on(workflows.versions, one(sampleWorkflow({ id: long, name: long })))
    .on(keys.list, one(sampleKey({ keyId: `key_${sampleTask().taskId.slice(5)}`, name: long })))
    .on(tools.list, one(sampleTool({ name: long, description: long, endpoint: long })))
    .on(deliveries.list, one(sampleDelivery({ deliveryId: `dlv_${sampleTask().taskId.slice(5)}`, url: long })))
    .on(limits.list, one(sampleLimit({ key: long, limit: 10_000, per: "1439m", kind: "rateLimit", nextPermitAt: AT })))
    .on(events.list, { items: [sampleEvent({ data: { long } })], next: 1 });
  const lists = [
    "agents list",
    "agents states a1",
    "sessions list",
    "tasks list",
    "tasks dead-letters",
    "workflows list",
  ];
  lists.push(
    "workflows versions w",
    "keys list",
    "tools list",
    "limits",
    "deliveries list",
    "events",
    "events --stream s1",
  );
  for (const command of lists) {
    const lines = (await stdoutOf(...command.split(" "))).trimEnd().split("\n");
    assert.equal(lines.length, 2, command);
    for (const line of lines) assert.ok(line.length <= 80, `${command}: ${line.length} ${line}`);
  }
  assert.match(await stdoutOf("sessions", "list"), new RegExp(sampleSession().sessionId));
  assert.match(await stdoutOf("tasks", "list"), new RegExp(sampleTask().taskId));
});

test("a list as JSON and YAML is the page, as JSON lines an item each, and empty ones say so on stderr only", async () => {
  const page = { items: [sampleTool(), sampleTool({ name: "b" })], nextCursor: "p2" };
  cli.server.on(tools.list, page);
  assert.deepEqual(JSON.parse(await stdoutOf("tools", "list", "-o", "json")), page);
  assert.deepEqual(parse(await stdoutOf("tools", "list", "-o", "yaml")), page);
  const lines = (await stdoutOf("tools", "list", "-o", "jsonl")).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    page.items,
  );
  assert.match((await opspawn("tools", "list")).stderr, /There are more: add --all, or --cursor p2/);
  cli.server.on(tools.list, { items: [], nextCursor: null });
  assert.deepEqual(await opspawn("tools", "list"), { exitCode: 0, stdout: "", stderr: "There are no tools.\n" });
});

test("limits: what a key may, what it holds, what waits for it and when the next may begin", async () => {
  const rate = sampleLimit({ key: "api", kind: "rateLimit", limit: 100, per: "1m", held: 100, nextPermitAt: AT });
  cli.server.on(limits.list, { items: [sampleLimit(), rate], nextCursor: null });
  const table = (await stdoutOf("limits", "tenant-7")).trimEnd().split("\n");
  assert.deepEqual(
    table.map((line) => line.split(/ {2,}/)),
    [
      ["KEY", "LIMIT", "HELD", "DRAINING", "WAITING", "NEXT AT"],
      ["tenant-7", "5 at once", "5", "1", "12", "-"],
      ["api", "100 per 1m", "100", "1", "12", "2026-05-01T12:00:00Z"],
    ],
  );
  assert.deepEqual(cli.server.calls[0]?.query, { key: "tenant-7" });
});

test("pages are asked for one by one, or all", async () => {
  const page = (name: string, nextCursor: string | null) => ({ items: [sampleTool({ name })], nextCursor });
  cli.server.on(tools.list, page("a", "p2"), page("b", null));
  const { items } = JSON.parse(await stdoutOf("tools", "list", "--all", "-o", "json"));
  assert.deepEqual(
    items.map((tool: { name: string }) => tool.name),
    ["a", "b"],
  );
  await stdoutOf("tools", "list", "--limit", "3", "--cursor", "p9");
  assert.deepEqual(
    cli.server.calls.map((call) => call.query),
    [{ limit: "200" }, { limit: "200", cursor: "p2" }, { limit: "3", cursor: "p9" }],
  );
});

test("agents: filters, one agent, its reports, its end", async () => {
  const busy = { reason: "slots_held", message: "All its slots are held.", since: AT };
  cli.server
    .on(agents.list, one(sampleAgent()))
    .on(agents.get, sampleAgent({ blocked: busy, metadata: { team: "x" }, stateDetails: { load: 1 } }))
    .on(agents.states, one({ state: "idle", details: null, timestamp: AT, receivedAt: AT }))
    .on(agents.remove, { agentId: "a1", reassigned: 2 });
  assert.match(
    await stdoutOf("agents", "list", "--capability", "web.fetch", "--state", "idle"),
    /fetcher +idle +ready +0\/1/,
  );
  assert.deepEqual(cli.server.calls[0]?.query, { capability: "web.fetch", state: "idle" });
  const shown = await stdoutOf("agents", "get", "a1");
  assert.match(shown, /State +idle \(1m ago\)\n/);
  assert.match(shown, /Takes nothing +All its slots are held\.\n/);
  assert.match(shown, /\nMetadata\n\{\n {2}"team": "x"\n\}/);
  assert.match(await stdoutOf("agents", "states", "a1"), /2026-05-01T12:00:00\.000000Z +idle +null/);
  assert.equal(await stdoutOf("agents", "remove", "a1"), "Agent a1 is gone; 2 tasks go to others.\n");
});

test("agents: health with its evidence, quarantine, and the way back", async () => {
  const healthEvidence = { cause: "failures" as const, message: "It failed 5 of its last 5.", since: AT, details: {} };
  const agent = sampleAgent({ health: "quarantined", healthEvidence });
  cli.server
    .on(agents.list, one(agent))
    .on(agents.get, agent)
    .on(agents.quarantine, agent)
    .on(agents.readmit, sampleAgent());
  const listed = await stdoutOf("agents", "list", "--health", "quarantined");
  assert.match(listed, /fetcher +idle +quarantined +0\/1/);
  for (const line of listed.trimEnd().split("\n")) assert.ok(line.length <= 80, line);
  assert.deepEqual(cli.server.calls[0]?.query, { health: "quarantined" });
  const shown = await stdoutOf("agents", "get", "a1");
  assert.match(shown, /Health +quarantined since 2026-05-01T12:00:00\.000000Z\nBecause +It failed 5 of its last 5\.\n/);
  assert.match(await stdoutOf("agents", "quarantine", "a1", "--reason", "odd"), /gets no work until it is readmitted/);
  assert.deepEqual(cli.server.callsOf("agents.quarantine")[0]?.body, { reason: "odd" });
  assert.match(await stdoutOf("agents", "readmit", "a1"), /may get work again; it is ready\.\n/);
});

test("tasks: how far one is", async () => {
  const progress = { counter: 3, note: "page 3", at: AT, suspectSince: AT };
  cli.server.on(tasks.get, { ...sampleTask({ progress }), parameters: {}, attemptList: [], cancellations: [] });
  assert.match(await stdoutOf("tasks", "get", "t1"), /Progress +3 \(1m ago\): page 3, frozen since 2026-05-01T12:00/);
});

test("agents: registering prints the key, once", async () => {
  cli.server.on(agents.register, { agent: sampleAgent(), agentKey: "opk_7_s" });
  const ran = await opspawn(
    ...[
      "agents",
      "register",
      "fetcher",
      "--endpoint",
      "http://127.0.0.1:9001/t",
      "--capability",
      "a",
      "--capability",
      "b",
    ],
    ...[
      "--max-concurrency",
      "4",
      "--heartbeat",
      "--timeout",
      "2m",
      "--silence-timeout",
      "30s",
      "--probe",
      '{"ping":1}',
      "--agent-version",
      "2.0",
      "--metadata",
      '{"x":1}',
    ],
  );
  assert.match(ran.stdout, /\nKey +opk_7_s\n$/);
  assert.match(ran.stderr, /it is not shown again/);
  assert.deepEqual(cli.server.calls[0]?.body, {
    agentName: "fetcher",
    channel: "push",
    contactEndpoint: "http://127.0.0.1:9001/t",
    capabilities: ["a", "b"],
    maxConcurrency: 4,
    heartbeat: true,
    timeout: "2m",
    silenceTimeout: "30s",
    probe: { parameters: { ping: 1 } },
    version: "2.0",
    metadata: { x: 1 },
  });
  await stdoutOf("agents", "register", "worker", "--pull");
  assert.deepEqual(cli.server.calls[1]?.body, {
    agentName: "worker",
    channel: "pull",
    contactEndpoint: null,
    metadata: null,
  });
});

test("sessions: list with every filter, labels, cancel", async () => {
  cli.server
    .on(sessions.list, one(sampleSession({ blocked: { reason: "no_free_agent", message: "Busy", since: AT } })))
    .on(sessions.cancel, { ...sampleSession({ status: "cancelled" }), cancellations: [] })
    .on(sessions.label, sampleSession({ labels: { a: "b" } }));
  const filters = { status: "failed", workflow: "w", agent: "a1", label: "a=b", since: AT, until: AT };
  const options = Object.entries(filters).flatMap(([name, value]) => [`--${name}`, value]);
  assert.match(
    await stdoutOf("sessions", "list", ...options, "--blocked", "r"),
    /running +review-artic… +1m +no_free_agent/,
  );
  assert.deepEqual(cli.server.calls[0]?.query, { ...filters, blockedReason: "r" });
  assert.match(await stdoutOf("sessions", "cancel", "s1", "--reason", "oops"), /^Session \S+ is cancelled\.\n$/);
  assert.deepEqual(cli.server.calls[1]?.body, { reason: "oops" });
  assert.match(await stdoutOf("sessions", "label", "s1", "--label", "a=b"), /: a=b\n$/);
  assert.deepEqual(cli.server.calls[2]?.body, { labels: { a: "b" } });
});

test("sessions: one session with its steps, errors whole", async () => {
  const error = {
    code: "agent_error",
    message: "Something that takes quite a few words to say, more than a line holds.",
  };
  cli.server.on(sessions.get, sampleSessionDetail({ status: "failed", error, failedSteps: ["fetch"], agentId: "a1" }));
  const shown = await stdoutOf("sessions", "get", "s1", "--wait", "1s");
  assert.deepEqual(cli.server.calls[0]?.query, { wait: "1s" });
  assert.match(shown, /Labels +team=docs\n/);
  assert.match(
    shown,
    /Error +agent_error: Something that takes quite a few words to say, more\n +than a line holds\.\n/,
  );
  assert.match(shown, /\nSteps\nSTEP +STATUS +TRIES +TOOK +WHAT\nfetch +running +1 +- +task_/);
});

test("tasks: list, dead letters, one task with its attempts, cancel", async () => {
  const error = { code: "agent_error", message: "no luck" };
  const attempt = {
    ...{
      number: 1,
      agentId: "a1",
      agentName: "fetcher",
      tool: null,
      status: "failed" as const,
      counted: true,
      sends: 2,
    },
    ...{ createdAt: AT, acknowledgedAt: null, endedAt: AT, evidence: "answer" as const, error },
  };
  const dead = sampleTask({ status: "failed", deadLetter: true, error, endedAt: AT, blocked: null, fellBack: true });
  const requirement = { agentId: null, agentName: null, capability: null, tool: "slack.post" };
  const called = { ...attempt, agentId: null, agentName: null, tool: "slack.post" };
  const calling = { ...dead, requirement, parameters: {}, attemptList: [called], cancellations: [] };
  cli.server
    .on(tasks.list, one(dead))
    .on(tasks.get, { ...dead, parameters: { url: "x" }, attemptList: [attempt], cancellations: [] }, calling)
    .on(tasks.cancel, { ...sampleTask({ status: "cancelled" }), cancellations: [] });
  await stdoutOf("tasks", "list", "--status", "failed", "--session", "s1", "--agent", "a1", "--blocked", "r");
  assert.deepEqual(cli.server.calls[0]?.query, { status: "failed", session: "s1", agent: "a1", blockedReason: "r" });
  assert.match(await stdoutOf("tasks", "dead-letters", "--session", "s1"), /0\/4 +1m +agent_error…/);
  assert.deepEqual(cli.server.calls[1]?.query, { deadLetter: "true", session: "s1" });
  const shown = await stdoutOf("tasks", "get", "t1");
  assert.match(shown, /Status +failed \(dead letter\)\n/);
  assert.match(shown, /Needs +capability web\.fetch\n/);
  assert.match(shown, /Attempts +0 of 4, on the fallback\n/);
  assert.match(shown, /1 +failed +fetcher +2 +0\.000s +answer +no luck/);
  const ofTool = await stdoutOf("tasks", "get", "t2");
  assert.match(ofTool, /Needs +tool slack\.post\n/);
  assert.match(ofTool, /1 +failed +tool slack\.post +2 /);
  assert.match(await stdoutOf("tasks", "cancel", "t1"), /is cancelled/);
});

test("why: a task by its name, else a session, else a task of another name; sentences in words", async () => {
  const explanation = [
    "Every agent that can do web.fetch is busy: fetcher holds task_1 since 12:00, for a while already.",
  ];
  cli.server
    .on(tasks.why, { taskId: "t", status: "pending", blocked: null, explanation })
    .on(sessions.why, { sessionId: "s", status: "completed", blocked: null, explanation: [] });
  const text = "Every agent that can do web.fetch is busy: fetcher holds task_1 since 12:00, for\na while already.\n";
  assert.equal(await stdoutOf("why", "task_1"), text);
  assert.equal(await stdoutOf("why", "s1"), "Nothing is waited for; it is completed.\n");
  assert.equal(await stdoutOf("tasks", "why", "t1"), text);
  assert.equal(JSON.parse(await stdoutOf("sessions", "why", "s1", "-o", "json")).status, "completed");
  const unknown = new FakeFailure(404, { detail: "There is no session x", code: "session_not_found" });
  cli.server.on(sessions.why, unknown);
  assert.equal(await stdoutOf("why", "my-task"), text);
  cli.server.on(tasks.why, new FakeFailure(404, { detail: "There is no task x", code: "task_not_found" }));
  const ran = await opspawn("why", "x");
  assert.equal(ran.exitCode, 5);
  assert.match(ran.stderr, /There is no session x/);
});

test("workflows: apply and validate send the text as it is and pass warnings on", async () => {
  const warnings = [{ loc: ["tasks", 1], msg: "It starts at once", type: "order" }];
  cli.server
    .on(
      workflows.apply,
      { workflow: sampleWorkflow(), created: true, warnings },
      { workflow: sampleWorkflow({ steps: 1 }), created: false, warnings: [] },
    )
    .on(workflows.validate, { valid: true, warnings: [] })
    .on(workflows.get, { ...sampleWorkflow({ description: "About" }), definition: { id: "w", tasks: [1.5] } });
  const text = "# mine\nid: w\n";
  cli.io.file("flow.yaml", text);
  const applied = await opspawn("workflows", "apply", "flow.yaml");
  assert.equal(applied.stdout, "Applied review-article 1.0 (3 steps).\n");
  assert.equal(applied.stderr, "Warning: tasks.1: It starts at once\n");
  assert.deepEqual(cli.server.calls[0]?.body, { definition: text });
  assert.equal(
    await stdoutOf("workflows", "apply", "flow.yaml"),
    "Nothing to do: review-article 1.0 (1 step) is applied already.\n",
  );
  assert.equal(await stdoutOf("workflows", "validate", "flow.yaml"), "flow.yaml is valid.\n");
  assert.match(
    await stdoutOf("workflows", "get", "w", "--definition-version", "2"),
    /\nDefinition\n\{\n {2}"id": "w",/,
  );
  assert.deepEqual(cli.server.calls.at(-1)?.query, { version: "2" });
});

test("keys: the secret alone goes to stdout, so that it can be kept in a variable", async () => {
  cli.server
    .on(keys.create, { key: sampleKey(), secret: "opk_1_secret" })
    .on(keys.list, { items: [sampleKey({ expiresAt: AT }), sampleKey({ revokedAt: AT })], nextCursor: null })
    .on(keys.revoke, sampleKey({ revokedAt: AT }));
  const argv = ["keys", "create", "--name", "ci", "--scope", "sessions:read", "--scope", "tasks:read"];
  const ran = await opspawn(...argv, "--agent", "a1", "--expires", "30d");
  assert.equal(ran.stdout, "opk_1_secret\n");
  assert.match(ran.stderr, /Key key_1 \(ci\)\. Keep the secret now/);
  const body = { name: "ci", scopes: ["sessions:read", "tasks:read"], agentId: "a1", expiresIn: "30d" };
  assert.deepEqual(cli.server.calls[0]?.body, body);
  assert.match(await stdoutOf("keys", "list"), /to 2026-05-01 +sessions:read\n.*revoked/);
  assert.equal(await stdoutOf("keys", "revoke", "key_1"), "Key key_1 (ci) is revoked.\n");
});

test("tools and deliveries", async () => {
  cli.server
    .on(tools.register, sampleTool())
    .on(tools.remove, { name: "slack.post" })
    .on(deliveries.get, sampleDelivery())
    .on(deliveries.list, one(sampleDelivery()));
  const schema = '{"type":"object"}';
  const endpoint = "http://127.0.0.1:9002/post";
  const argv = [
    "tools",
    "register",
    "slack.post",
    "--endpoint",
    endpoint,
    "--description",
    "Posts",
    "--parameters",
    schema,
    "--max-concurrency",
    "4",
  ];
  assert.equal(await stdoutOf(...argv), "Tool slack.post is registered.\n");
  assert.deepEqual(cli.server.calls[0]?.body, {
    name: "slack.post",
    endpoint,
    description: "Posts",
    parameters: { type: "object" },
    maxConcurrency: 4,
  });
  assert.equal(await stdoutOf("tools", "remove", "slack.post"), "Tool slack.post is removed.\n");
  assert.match(await stdoutOf("deliveries", "get", "dlv_1"), /Status +pending\n(.*\n)+Last error +503\n/);
  await stdoutOf("deliveries", "list", "--status", "pending", "--agent", "a1", "--session", "s1");
  assert.deepEqual(cli.server.calls.at(-1)?.query, { status: "pending", agent: "a1", session: "s1" });
});
