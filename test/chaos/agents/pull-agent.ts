import { type Answer, type Call, type Caller, isPassing, NoAnswer, pause } from "../http-calls.ts";
import type { Bench } from "./bench.ts";
import { type Delivery, readDelivery } from "./delivery.ts";
import { tellsOfCancel } from "./line.ts";

const AT_ONCE = 64;
/** Well within the ten seconds of a lease. */
const BEAT_MS = 3_000;

export interface PullAgent {
  readonly agentId: string;
  readonly key: string;
  readonly server: Caller;
  readonly bench: Bench;
}

interface Claimed {
  readonly tasks: readonly unknown[];
  readonly cancelled?: readonly { readonly taskId: string; readonly token: string }[];
}

/** Asks for work for ever; each task is confirmed at once and its lease kept until its result is told. */
export async function pull(agent: PullAgent): Promise<never> {
  const held = new Set<string>();
  for (;;) {
    const free = AT_ONCE - held.size;
    const tasks = free > 0 ? await claim(agent, free) : [];
    const fresh = tasks.filter(({ token }) => !held.has(token));
    for (const delivery of fresh) {
      held.add(delivery.token);
      void work(agent, delivery).finally(() => held.delete(delivery.token));
    }
    if (fresh.length === 0) await pause();
  }
}

async function claim({ agentId, key, server, bench }: PullAgent, max: number): Promise<Delivery[]> {
  const path = `/v1/opscore/agents/${agentId}/claim`;
  const answer = await attempt(server, { method: "POST", path, key, body: { wait: "5s", max } });
  if (answer?.status !== 200) return [];
  const { tasks, cancelled = [] } = answer.body as unknown as Claimed;
  for (const { taskId: task, token } of cancelled) {
    void bench.words.heard({ task, token, attempt: Number.parseInt(token, 10) });
  }
  return tasks.map((task) => readDelivery(task));
}

async function work({ server, key, bench }: PullAgent, delivery: Delivery): Promise<void> {
  await bench.note(delivery);
  const path = `/v1/opscore/tasks/${delivery.task}/lease`;
  const beat = () => attempt(server, { method: "POST", path, key, body: { token: delivery.token } });
  const beating = setInterval(async () => {
    if (tellsOfCancel(await beat())) await bench.words.heard(delivery);
  }, BEAT_MS);
  try {
    // What was lost in the meantime is somebody else's.
    const first = await beat();
    if (first?.status !== 409) await bench.report(delivery);
    else if (tellsOfCancel(first)) await bench.words.notBegun(delivery);
  } finally {
    clearInterval(beating);
  }
}

/** Null when it came to nothing; the loop asks again anyway. */
async function attempt(server: Caller, call: Call): Promise<Answer | null> {
  try {
    const answer = await server.send(call);
    return isPassing(answer.status) ? null : answer;
  } catch (error) {
    if (error instanceof NoAnswer) return null;
    throw error;
  }
}
