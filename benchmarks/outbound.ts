/**
 * What the guarded HTTP client costs: requests per second against plain `undici.request`, on an empty handler in a
 * process of its own, in alternating rounds of one run. Exits 1 when the ratio of the medians is below the bar.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, request } from "undici";
import { OutboundClient } from "../packages/ops-core/src/outbound/client.ts";
import { OutboundPolicy } from "../packages/ops-core/src/outbound/policy.ts";
import { systemTimers } from "../packages/ops-core/src/system/timers.ts";

const BAR = 0.85;
const ROUNDS = 7;
const ROUND_MS = 1_000;
const IN_FLIGHT = 50;
const BODY = JSON.stringify({ senderId: "opspawn", messageType: "task", payload: { text: "x".repeat(500) } });
const HEADERS = { "content-type": "application/json", "idempotency-key": "task_0", "x-opspawn-attempt": "1" };

type Send = (url: string) => Promise<number>;

function serve(): void {
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => response.writeHead(202, { "content-length": "0" }).end());
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}

async function round(send: Send, url: string, ms: number): Promise<number> {
  const start = performance.now();
  let answered = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      if ((await send(url)) !== 202) throw new Error("wrong answer");
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return answered / ((performance.now() - start) / 1_000);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const server = fork(import.meta.filename, ["serve"], { execArgv: process.execArgv });
  const [port] = (await once(server, "message")) as [number];
  const url = `http://127.0.0.1:${port}/task`;
  const agent = new Agent({ connections: IN_FLIGHT });
  const policy = new OutboundPolicy({ allowLoopback: true, allow: [] });
  const client = new OutboundClient({ policy, timers: systemTimers });
  const plain: Send = async (to) => {
    const response = await request(to, { method: "POST", headers: HEADERS, body: BODY, dispatcher: agent });
    await response.body.text();
    return response.statusCode;
  };
  const guarded: Send = async (to) => {
    const result = await client.post({ url: to, headers: HEADERS, body: BODY });
    return result.kind === "response" ? result.status : 0;
  };
  const rates: Record<"plain" | "guarded", number[]> = { plain: [], guarded: [] };
  await round(plain, url, 500);
  await round(guarded, url, 500);
  for (let i = 0; i < ROUNDS; i += 1) {
    rates.plain.push(await round(plain, url, ROUND_MS));
    rates.guarded.push(await round(guarded, url, ROUND_MS));
  }
  await Promise.all([client.close(), agent.close()]);
  server.kill();
  const [ours, theirs] = [median(rates.guarded), median(rates.plain)];
  console.log(`plain undici.request  ${Math.round(theirs)} requests/s (median of ${ROUNDS})`);
  console.log(`guarded client        ${Math.round(ours)} requests/s (median of ${ROUNDS})`);
  const ratio = ours / theirs;
  console.log(`ratio ${ratio.toFixed(2)}, bar ${BAR}: ${ratio >= BAR ? "PASS" : "FAIL"}`);
  process.exitCode = ratio >= BAR ? 0 : 1;
}

if (process.argv[2] === "serve") serve();
else await main();
