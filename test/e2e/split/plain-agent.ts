// The simplest agent there is: a function behind a URL, which knows neither task ids nor where results go. It answers
// with how often it was asked; the first time only after a while.
// Usage: plain-agent.ts NAME CAPABILITY MS

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const [agentName = "", capability = "", ms = "0"] = process.argv.slice(2);
const { AGENTKIT_API_URL = "" } = process.env;
let asked = 0;

const server = createServer(async (request, response) => {
  request.resume();
  await once(request, "end");
  asked += 1;
  const times = asked;
  process.send?.({ began: times });
  if (times === 1) await wait(Number(ms));
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ status: "completed", result: { times } }));
}).listen(0, "127.0.0.1");
await once(server, "listening");

const { port } = server.address() as AddressInfo;
const registration = {
  agentName,
  version: "1",
  capabilities: [capability],
  contactEndpoint: `http://127.0.0.1:${port}`,
};
const answer = await fetch(`${AGENTKIT_API_URL}/v1/agents/register`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(registration),
});
const { data } = (await answer.json()) as { data: { agentId: string } };
process.send?.({ ready: data.agentId });
