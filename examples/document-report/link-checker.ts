// An agent needs no SDK: it is a web server that answers a question, and one request that says where it is.
// This one follows the links of documents. Everything it has to do with the platform is on this page.

import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { readAgentArguments } from "./agent-arguments.ts";
import { checkLinks } from "./text/links.ts";

const { platform, port, data, pace, roots } = readAgentArguments();
let agentId: string | null = null;

// 1. Work comes as a POST. What to do it with is the message's `payload`; the rest says who asked, and for which task.
const server = createServer(async (request, response) => {
  if (request.method === "GET") return answer(response, agentId === null ? 503 : 200, { agent_id: agentId });
  try {
    const { payload } = JSON.parse(await text(request));
    await wait(pace * 1_000);
    // The folder comes in a message, so only folders this agent was started for are looked at.
    if (!roots.includes(payload.root)) throw new Error(`this agent may not look into ${payload.root}`);

    // 2. The answer is the outcome. An agent that takes long would answer 202 now, and post the outcome later.
    answer(response, 200, { status: "completed", result: await checkLinks(payload.root, payload.files) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer(response, 200, { status: "failed", error: { code: "links_unchecked", message, retryable: false } });
  }
});
server.listen(port, "127.0.0.1");
await once(server, "listening");

// 3. Registering says what the agent can do and where it takes work. The answer's header holds a key for this agent:
// whoever shows it later, after a restart, is the same agent.
const keyFile = path.join(data, "link-checker.key");
const keys = existsSync(keyFile) ? [readFileSync(keyFile, "utf8"), null] : [null];
for (const key of keys) {
  const response = await fetch(`${platform}/v1/agents/register`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({
      agentName: "link-checker",
      version: "1.0",
      capabilities: ["links.check"],
      contactEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    }),
  });
  if (response.status === 201) {
    const { data: registered } = (await response.json()) as { data: { agentId: string } };
    agentId = registered.agentId;
    const newKey = response.headers.get("x-agent-key");
    mkdirSync(data, { recursive: true });
    if (newKey !== null) writeFileSync(keyFile, newKey, { mode: 0o600 });
    break;
  }
  console.error(`The platform did not register this agent: ${response.status} ${await response.text()}`);
}
if (agentId === null) process.exit(1);
console.log(`Ready: agent ${agentId} at port ${(server.address() as AddressInfo).port}`);

// 4. That is all. Told to stop, it lets the request in hand end, if that does not take long.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close();
    setTimeout(() => process.exit(), 5_000).unref();
  });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
