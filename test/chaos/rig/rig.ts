import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Call, Caller } from "../http-calls.ts";
import { SyncedLog } from "../logs/synced-log.ts";
import { BANK_TOOL } from "../workloads/paying.ts";
import { WORKFLOWS } from "../workloads/sessions.ts";
import { AgentProcesses } from "./agent-processes.ts";
import { Approver } from "./approver.ts";
import { type Kill, killAgainAndAgain } from "./killer.ts";
import { OpenAttempts } from "./open-attempts.ts";
import { freePort, ServerProcess } from "./server-process.ts";
import { SessionClient } from "./session-client.ts";

const WARM_UP_MS = 1_500;

export interface RigOptions {
  /** Keeps everything of this run: the server's data, the logs. */
  readonly folder: string;
  readonly sessions: number;
  /** Kills that count, of each kind. */
  readonly random: number;
  readonly failpoints: number;
  readonly seed: number;
  /** Milliseconds for the kills. */
  readonly within: number;
  /** What is begun when the killing ends has this long to come to its end, milliseconds. */
  readonly drain: number;
  readonly planted?: string;
  /** Failpoints to use; default all. */
  readonly points?: readonly string[];
  readonly onKill: (kill: Kill) => void;
}

export interface RigReport {
  readonly kills: readonly Kill[];
  readonly sessions: number;
  /** What did not come to an end: sessions still open, webhooks not sent. Empty when all is well. */
  readonly unfinished: readonly string[];
  /** The server's last stop was a clean one. */
  readonly stoppedCleanly: boolean;
}

/** One run: servers that die, agents that do not, a client that goes on; until everything has ended. */
export async function runRig(options: RigOptions): Promise<RigReport> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const server = new ServerProcess({ folder, port: await freePort(), planted: options.planted });
  const agents = new AgentProcesses(folder);
  const log = await SyncedLog.open(join(folder, "client.log"));
  const caller = new Caller(server.origin);
  const client = new SessionClient({ server: caller, log, lanes: options.sessions });
  const approver = new Approver(caller, folder);
  try {
    await firstStart(server);
    await agents.start(server.origin);
    const key = readFileSync(join(server.dataFolder, "admin.key"), "utf8").trim();
    const tool = { name: BANK_TOOL, endpoint: agents.bankUrl, maxConcurrency: 20 };
    await expectStatus(caller, 201, { method: "POST", path: "/v1/tools", key, body: tool });
    for (const definition of WORKFLOWS) {
      await expectStatus(caller, 200, { method: "POST", path: "/v1/opscore/workflows", key, body: { definition } });
    }
    client.start({ key, webhookUrl: agents.webhookUrl });
    approver.start(key);
    await sleep(WARM_UP_MS);
    server.kill();
    await server.exit;
    const kills = await killAgainAndAgain({ ...options, server, client, open: new OpenAttempts(folder) });
    const unfinished = await drain(client, caller, { key, within: options.drain });
    const { code } = await server.stop();
    const ended = agents.ended.map((name) => `${name} ended by itself, which spoils the run`);
    const report = { kills, sessions: client.ended, unfinished: [...unfinished, ...ended], stoppedCleanly: code === 0 };
    writeFileSync(join(folder, "run.json"), JSON.stringify(report));
    return report;
  } finally {
    server.kill();
    await agents.stop();
    await approver.leave();
    await caller.close();
    await client.leave();
    await log.close();
  }
}

/** The very first start dies while the tables are made; the second one has to cope. */
async function firstStart(server: ServerProcess): Promise<void> {
  server.warmUp();
  server.start("store.mid-migration");
  const { signal } = await server.exit;
  if (signal !== "SIGKILL") throw new Error("the first start did not reach store.mid-migration; see server.log");
  server.start();
  if ((await server.ready()) === null) throw new Error("the server did not start; see server.log");
}

async function drain(
  client: SessionClient,
  caller: Caller,
  { key, within }: { readonly key: string; readonly within: number },
): Promise<string[]> {
  const deadline = Date.now() + within;
  const ended = await Promise.race([client.drain().then(() => true), sleep(within, false, { ref: false })]);
  const unfinished = ended ? [] : [`${client.running} sessions had not ended ${within / 1000} s after the last kill`];
  for (;;) {
    const { body } = await caller.send({ method: "GET", path: "/v1/opscore/deliveries?status=pending&limit=1", key });
    if ((body.items as unknown[] | undefined)?.length === 0) return unfinished;
    if (Date.now() > deadline) return [...unfinished, "webhooks were still waiting to be sent"];
    await sleep(200);
  }
}

async function expectStatus(caller: Caller, status: number, call: Call): Promise<void> {
  const answer = await caller.send(call);
  if (answer.status !== status)
    throw new Error(`${call.path} was answered ${answer.status}: ${JSON.stringify(answer)}`);
}
