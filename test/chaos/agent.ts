/**
 * One agent, or the receiver of webhooks, as a process of its own:
 * `agent.ts KIND --origin URL --log FILE`. It says over IPC that it is ready, and ends when that channel closes.
 */
import { parseArgs } from "node:util";
import { serveBank } from "./agents/bank.ts";
import { Bench } from "./agents/bench.ts";
import type { Delivery } from "./agents/delivery.ts";
import { Payer } from "./agents/payer.ts";
import { pull } from "./agents/pull-agent.ts";
import { servePush } from "./agents/push-agent.ts";
import { serveReceiver } from "./agents/receiver.ts";
import { Caller } from "./http-calls.ts";
import { SyncedLog } from "./logs/synced-log.ts";
import { chanceOf, KINDS, type Kind } from "./workload.ts";

/** This share of the late agent's tasks takes longer, at first, than its attempts may. */
const LATE = 0.05;
const LATE_MS = 6_000;

/** Milliseconds: at least, and how much more at most. */
const WORK_MS: Readonly<Record<Kind, readonly [number, number]>> = {
  take: [100, 800],
  answer: [50, 350],
  pull: [50, 350],
  late: [50, 250],
  scarce: [40, 60],
  payer: [20, 150],
  stopper: [200, 600],
};
/** What holds on does so for longer than anybody may take to tell it to stop. */
const HOLDS_MS = 30_000;
const SLOTS: Readonly<Record<Kind, number>> = {
  take: 64,
  answer: 64,
  pull: 64,
  late: 64,
  scarce: 6,
  payer: 64,
  stopper: 64,
};
/** Those that are told by a message when their work is cancelled. */
const TOLD: ReadonlySet<Kind> = new Set<Kind>(["take", "answer", "scarce", "payer", "stopper"]);

interface Served {
  readonly url: string;
  /** Of a tool beside it. */
  readonly toolUrl: string;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { origin: { type: "string" }, log: { type: "string" } },
    allowPositionals: true,
  });
  const log = await SyncedLog.open(values.log ?? "");
  process.once("disconnect", () => void log.close().then(() => process.exit(0)));
  const [name = ""] = positionals;
  const kind = KINDS.find((each) => each === name);
  process.send?.(
    kind === undefined ? { url: await serveReceiver(log) } : await employ(kind, new Caller(values.origin ?? ""), log),
  );
}

async function employ(kind: Kind, server: Caller, log: SyncedLog): Promise<Served> {
  const bench = new Bench({ kind, log, server, workMs: (delivery) => workMs(kind, delivery) });
  const toolUrl = kind === "payer" ? await openBank(bench, log) : "";
  const endpoint = kind === "pull" ? null : await servePush(bench, kind === "answer");
  const answer = await server.send({
    method: "POST",
    path: "/v1/opscore/agents",
    idempotencyKey: `register-${kind}`,
    body: {
      agentName: kind,
      capabilities: [`chaos.${kind}`],
      maxConcurrency: SLOTS[kind],
      ...(TOLD.has(kind) ? { metadata: { config: { cancel: true } } } : {}),
      ...(endpoint === null ? { channel: "pull" } : { contactEndpoint: endpoint }),
    },
  });
  if (answer.status !== 201) throw new Error(`${kind} was not registered: ${JSON.stringify(answer)}`);
  const { agent, agentKey } = answer.body as { agent: { agentId: string }; agentKey: string };
  if (endpoint === null) void pull({ agentId: agent.agentId, key: agentKey, server, bench });
  return { url: endpoint ?? "", toolUrl };
}

/** @returns where the bank says what was paid */
async function openBank(bench: Bench, log: SyncedLog): Promise<string> {
  const bank = new Set<string>();
  const payer = new Payer(bench, log, bank);
  bench.craft = (delivery, stop) => payer.pay(delivery, stop);
  return serveBank(bank, log);
}

function workMs(kind: Kind, { task, attempt, work }: Delivery): number {
  if (work.holds === true) return HOLDS_MS;
  if (kind === "late" && attempt === 1 && chanceOf(`late ${task}`) < LATE) return LATE_MS;
  const [least, more] = WORK_MS[kind];
  return least + chanceOf(`work ${task}`) * more;
}

await main();
