import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chanceOf } from "../workload.ts";
import type { Bench, Outcome } from "./bench.ts";
import { type Delivery, readCancel, readDelivery } from "./delivery.ts";

/** Agents that fail do so at the first try of this share of their tasks. */
const FAILING = 0.03;

const TIRED: Outcome = { status: "failed", error: { code: "tired", message: "Ask me again.", retryable: true } };

type Take = (delivery: Delivery, response: ServerResponse, bench: Bench) => Promise<void>;

/** Answers 202 at once and posts the result later. */
const acknowledge: Take = async (delivery, response, bench) => {
  send(response, 202, { status: "acknowledged" });
  await bench.report(delivery);
};

/** Thinks, and answers with the outcome; now and then the first try fails. */
const answer: Take = async (delivery, response, bench) => {
  const fails = delivery.attempt === 1 && chanceOf(`fail ${delivery.task}`) < FAILING;
  const outcome = fails ? TIRED : await bench.outcome(delivery);
  if (outcome === null) {
    // Nobody waits for it any more.
    response.destroy();
    return;
  }
  response.once("finish", () => void bench.answered(delivery, outcome.status));
  send(response, 200, outcome);
};

/** Takes tasks over HTTP. @returns where */
export async function servePush(bench: Bench, answers: boolean): Promise<string> {
  const take = answers ? answer : acknowledge;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void receive(request).then(async (body) => {
      const message: unknown = JSON.parse(body);
      const cancelled = readCancel(message);
      if (cancelled !== null) {
        send(response, 200, { status: await bench.words.answer(cancelled) });
        return;
      }
      const delivery = readDelivery(message, String(request.headers["idempotency-key"]));
      await bench.note(delivery);
      await take(delivery, response, bench);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/task`;
}

/** The whole body; what breaks off never resolves, and was never delivered. */
export function receive(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks).toString()));
    request.on("error", () => undefined);
  });
}

export function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
