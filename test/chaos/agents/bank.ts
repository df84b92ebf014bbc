import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SyncedLog } from "../logs/synced-log.ts";
import { resultOf } from "../workload.ts";
import type { Bank } from "./payer.ts";
import { receive, send } from "./push-agent.ts";

interface Question {
  readonly arguments: {
    readonly effects: readonly {
      readonly idempotencyKey: string;
      readonly payload: { readonly x: number; readonly y: number };
    }[];
  };
}

/** A tool that says whether a payment was made; each question is answered once, whatever happens later. @returns where */
export async function serveBank(bank: Bank, log: SyncedLog): Promise<string> {
  const answers = new Map<string, Promise<object>>();
  const find = async (task: string, attempt: number, [effect]: Question["arguments"]["effects"]): Promise<object> => {
    const happened = effect !== undefined && bank.has(effect.idempotencyKey);
    const result = happened ? { happened, result: resultOf("payer", effect.payload) } : { happened };
    await log.append({ type: "effect", at: Date.now(), agent: "bank", key: task, attempt, result });
    return result;
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void receive(request).then(async (body) => {
      const task = String(request.headers["idempotency-key"]);
      const attempt = Number(request.headers["x-opspawn-attempt"]);
      const token = String(request.headers["x-opspawn-token"]);
      const ticket = { task, attempt, token, key: task, session: null, sentAt: "", known: answers.has(task) };
      await log.append({ type: "delivery", at: Date.now(), agent: "bank", ...ticket });
      const { effects } = (JSON.parse(body) as Question).arguments;
      const answer = answers.get(task) ?? find(task, attempt, effects);
      answers.set(task, answer);
      response.once("finish", () => {
        void log.append({ type: "answered", at: Date.now(), agent: "bank", task, attempt, token, status: "completed" });
      });
      send(response, 200, await answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/find`;
}
