import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { EffectEntry } from "../../checker/entries.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { chanceOf } from "../workload.ts";
import { receive, send } from "./push-agent.ts";

/** The receiver has a bad moment at the first sight of this share of its webhooks. */
const UNAVAILABLE = 0.05;

interface Webhook {
  readonly type: string;
  readonly data: { readonly sessionId: string };
}

/** Takes webhooks and writes each down before it answers. @returns where */
export async function serveReceiver(log: SyncedLog): Promise<string> {
  const seen = new Set<string>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void receive(request).then(async (body) => {
      const id = String(request.headers["webhook-id"]);
      const { type, data } = JSON.parse(body) as Webhook;
      const status = seen.has(id) || chanceOf(`webhook ${id}`) >= UNAVAILABLE ? 200 : 503;
      seen.add(id);
      const entry: EffectEntry = { type: "webhook", at: Date.now(), id, session: data.sessionId, event: type, status };
      await log.append(entry);
      send(response, status, {});
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`;
}
