import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { agentInfo } from "../domain/agents/agent-info.ts";
import { type AnnouncedAgent, announceAgent } from "../domain/agents/announcement.ts";
import { SECOND } from "../domain/clock.ts";
import type { HttpReader, HttpResult } from "../domain/http-client.ts";
import type { Log } from "../domain/log.ts";
import { memoryRig } from "../store/sqlite/test-rigs.ts";
import { need, World } from "../store/suite/test-world.ts";
import { Reconciler } from "./reconciler.ts";
import { broken, response, unsent } from "./test-http.ts";

/** AgentKit as its list tells it, and Ops-Core's directory that is compared with it. */
class Directory {
  readonly world: World;
  readonly asked: unknown[] = [];
  readonly log: string[] = [];
  list: JsonObject[] = [];
  result: HttpResult | null = null;
  /** Happens while the list is on its way. */
  meanwhile: () => Promise<unknown> = async () => undefined;
  readonly #reconciler: Reconciler;

  constructor(world: World) {
    this.world = world;
    const http: HttpReader = {
      get: async (request) => {
        this.asked.push(request);
        const result = this.result ?? response(200, { status: "success", data: this.list });
        await this.meanwhile();
        return result;
      },
    };
    const { store, clock } = world;
    const say = (_fields: unknown, message: string) => void this.log.push(message);
    const log = { info: say, warn: say } as unknown as Log;
    const announce = (agent: AnnouncedAgent) => this.announce(agent);
    this.#reconciler = new Reconciler({
      agents: store.agents,
      announce,
      http,
      url: "http://kit.test",
      key: "k",
      clock,
      log,
    });
  }

  announce(agent: AnnouncedAgent): Promise<void> {
    const { store, clock } = this.world;
    const decideUrl = ({ hostname }: URL) =>
      hostname === "evil.test" ? ({ isAllowed: false, reason: "refused" } as const) : ({ isAllowed: true } as const);
    return announceAgent({ store, clock, decideUrl }, agent);
  }

  /** A poll, half a minute after the one before. */
  async poll(): Promise<void> {
    this.world.clock.advance(30 * SECOND);
    await this.#reconciler.tick();
  }

  async names(): Promise<string[]> {
    return (await this.world.store.agents.list({ limit: 100 }, {})).items.map(({ name }) => name).sort();
  }
}

function agent(agentName: string, rest: Partial<AnnouncedAgent> = {}): AnnouncedAgent {
  return {
    agentId: `id-${agentName}`,
    agentName,
    version: "1",
    capabilities: ["work"],
    contactEndpoint: "http://agent.test/",
    metadata: { description: null, config: { maxConcurrency: 2 } },
    registrationTime: "2026-01-02T03:04:05.000000Z",
    ...rest,
  };
}

/** As AgentKit lists it. */
function entry({ registrationTime, ...rest }: AnnouncedAgent): JsonObject {
  return { ...(rest as unknown as JsonObject), registration_time: registrationTime };
}

async function onDirectory(body: (directory: Directory) => Promise<void>): Promise<void> {
  const world = await World.open(await memoryRig());
  try {
    await body(new Directory(world));
  } finally {
    await world.close();
  }
}

test("hole 27: an agent that AgentKit has and we do not is taken over, with all that it is", () =>
  onDirectory(async (directory) => {
    directory.list = [entry(agent("reader"))];
    await directory.poll();
    assert.partialDeepStrictEqual(directory.asked, [
      { url: "http://kit.test/v1/agents", headers: { authorization: "Bearer k" } },
    ]);
    const known = need(await directory.world.store.agents.get("id-reader"), "agent");
    assert.deepEqual(agentInfo(known), directory.list[0]);
    assert.deepEqual([known.maxConcurrency, known.announcedAt], [2, directory.world.clock.now()]);
  }));

test("an agent that is known as it is listed is left alone", () =>
  onDirectory(async (directory) => {
    for (const metadata of [{}, agent("x").metadata]) {
      const known = agent("reader", { metadata });
      await directory.announce(known);
      const { announcedAt } = need(await directory.world.store.agents.get("id-reader"), "agent");
      directory.list = [{ ...entry(known), metadata: Object.keys(metadata).length === 0 ? null : metadata }];
      await directory.poll();
      assert.equal((await directory.world.store.agents.get("id-reader"))?.announcedAt, announcedAt);
    }
  }));

test("an agent that is listed otherwise than we know it is taken over as it is", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    directory.list = [entry(agent("reader", { contactEndpoint: "http://moved.test/", registrationTime: "later" }))];
    await directory.poll();
    const known = await directory.world.store.agents.get("id-reader");
    assert.deepEqual([known?.endpoint, known?.registrationTime], ["http://moved.test/", "later"]);
  }));

test("hole 27: an agent absent from two polls in a row is removed, and not before", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    await directory.poll();
    assert.deepEqual(await directory.names(), ["reader"]);
    await directory.poll();
    assert.deepEqual(await directory.names(), []);
  }));

test("hole 27: both polls must have begun after the agent's last notification, changed or not", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    await directory.poll();
    await directory.announce(agent("reader"));
    await directory.poll();
    assert.deepEqual(await directory.names(), ["reader"], "the first poll began before it");
    await directory.poll();
    assert.deepEqual(await directory.names(), []);
  }));

test("hole 27: a poll that began before the notification says nothing about the agent", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    await directory.poll();
    directory.meanwhile = () => directory.announce(agent("reader"));
    await directory.poll();
    directory.meanwhile = async () => undefined;
    assert.deepEqual(await directory.names(), ["reader"]);
    await directory.poll();
    assert.deepEqual(await directory.names(), ["reader"]);
    await directory.poll();
    assert.deepEqual(await directory.names(), []);
  }));

test("an agent that was listed in between is not missing any more", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    await directory.poll();
    directory.list = [entry(agent("reader"))];
    await directory.poll();
    directory.list = [];
    await directory.poll();
    assert.deepEqual(await directory.names(), ["reader"]);
  }));

test("hole 27: agents that registered here are neither removed nor changed", () =>
  onDirectory(async (directory) => {
    const id = await directory.world.agent("own");
    const before = await directory.world.store.agents.get(id);
    await directory.poll();
    directory.list = [entry(agent("another name", { agentId: id }))];
    await directory.poll();
    directory.list = [];
    await directory.poll();
    await directory.poll();
    assert.deepEqual(await directory.world.store.agents.get(id), before);
  }));

test("an agent that was deregistered while the list was on its way does not come back by it", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader"));
    directory.list = [entry(agent("reader", { version: "2" }))];
    directory.meanwhile = () => directory.world.store.agents.remove("id-reader");
    await directory.poll();
    assert.deepEqual(await directory.names(), []);
  }));

test("a notification that came while the list was on its way knows better than the list", () =>
  onDirectory(async (directory) => {
    await directory.announce(agent("reader", { version: "1" }));
    directory.list = [entry(agent("reader", { version: "2" })), entry(agent("new", { version: "2" }))];
    directory.meanwhile = async () => {
      await directory.announce(agent("reader", { version: "3" }));
      await directory.announce(agent("new", { version: "3" }));
    };
    await directory.poll();
    const versions = (await directory.world.store.agents.list({ limit: 9 }, {})).items.map(({ version }) => version);
    assert.deepEqual(versions, ["3", "3"]);
  }));

const UNREADABLE: readonly [string, HttpResult][] = [
  ["is not reached", unsent()],
  ["breaks off", broken()],
  ["has no such route", response(405, { detail: "Method Not Allowed" })],
  ["answers no JSON", response(200, "<html>")],
  ["answers no list", response(200, { data: {} })],
  ["answers more than is read", { ...(response(200, { data: [] }) as object), truncated: true } as HttpResult],
];
for (const [name, result] of UNREADABLE) {
  test(`while AgentKit ${name} nobody is removed, and that is said once`, () =>
    onDirectory(async (directory) => {
      await directory.announce(agent("reader"));
      directory.result = result;
      for (let i = 0; i < 3; i += 1) await directory.poll();
      assert.deepEqual(await directory.names(), ["reader"]);
      assert.equal(directory.log.length, 1);
    }));
}

test("entries that are no agents, and one that is refused, do not keep out the others", () =>
  onDirectory(async (directory) => {
    const odd = { ...entry(agent("odd")), capabilities: [1] };
    const refused = entry(agent("refused", { contactEndpoint: "http://evil.test/" }));
    const nameless = { ...entry(agent("nameless")), agentId: "" };
    directory.list = [odd, nameless, null as unknown as JsonObject, refused, entry(agent("good"))];
    await directory.poll();
    assert.deepEqual(await directory.names(), ["good"]);
  }));

test("a time of registration may be written as the originals' stand-in for AgentKit does, or be missing", () =>
  onDirectory(async (directory) => {
    const { registration_time: registrationTime, ...rest } = entry(agent("reader"));
    directory.list = [{ ...rest, registrationTime: registrationTime ?? null }];
    await directory.poll();
    assert.equal((await directory.world.store.agents.get("id-reader"))?.registrationTime, registrationTime);
    const { announcedAt } = need(await directory.world.store.agents.get("id-reader"), "agent");
    directory.list = [rest];
    await directory.poll();
    assert.equal((await directory.world.store.agents.get("id-reader"))?.announcedAt, announcedAt);
  }));
