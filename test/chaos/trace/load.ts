import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { receive, send } from "../agents/push-agent.ts";
import { type Caller, isPassing, pause } from "../http-calls.ts";
import type { Promised } from "./order.ts";

const WORKFLOW_ID = "trace";
const WORKFLOW = {
  id: WORKFLOW_ID,
  name: "Two steps in the open",
  version: "1",
  tasks: [
    { taskId: "first", name: "First", agentCapability: "trace" },
    { taskId: "second", name: "Second", agentCapability: "trace" },
  ],
};

interface Message {
  readonly opspawn: { readonly taskId: string; readonly token: string };
}

export interface LoadOptions {
  readonly server: Caller;
  readonly key: string;
  readonly sessions: number;
  /** At once. */
  readonly lanes: number;
}

/** Runs sessions with an agent that answers 202 and posts results; every change carries a mark of its own. */
export async function runLoad(options: LoadOptions): Promise<readonly Promised[]> {
  const { server, key, sessions, lanes } = options;
  const promises: Promised[] = [];
  const reports: Promise<unknown>[] = [];
  const agent = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { taskId, token } = (JSON.parse(await receive(request)) as Message).opspawn;
    send(response, 202, { status: "acknowledged" });
    const mark = `mark-of-result-${token}`;
    promises.push({ what: `the delivery of ${taskId}`, sent: ["POST /task", `"token":"${token}"`], stored: token });
    promises.push({
      what: `the 200 to the result of ${taskId}`,
      sent: ["HTTP/1.1 200", taskId, '"accepted":true'],
      stored: mark,
    });
    reports.push(post(server, `/v1/opscore/tasks/${taskId}/result`, { token, status: "completed", result: { mark } }));
  }
  agent.listen(0, "127.0.0.1");
  await once(agent, "listening");
  const contactEndpoint = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/task`;
  await post(server, "/v1/opscore/agents", {
    agentName: "trace",
    capabilities: ["trace"],
    maxConcurrency: 50,
    contactEndpoint,
  });
  await post(server, "/v1/opscore/workflows", { definition: WORKFLOW }, key);
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < sessions) {
      begun += 1;
      const mark = `mark-of-start-${begun}-`;
      const { sessionId } = await post(
        server,
        "/v1/opscore/sessions",
        { workflowId: WORKFLOW_ID, input: { mark } },
        key,
      );
      promises.push({
        what: `the 202 to the start of ${sessionId}`,
        sent: ["HTTP/1.1 202", String(sessionId)],
        stored: mark,
      });
      await ended(server, `/v1/opscore/sessions/${sessionId}?wait=20s`, key);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await Promise.all(reports);
  agent.close();
  agent.closeAllConnections();
  return promises;
}

async function post(server: Caller, path: string, body: object, key: string | null = null) {
  const answer = await server.send({ method: "POST", path, key, body });
  if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function ended(server: Caller, path: string, key: string): Promise<void> {
  for (;;) {
    const { status, body } = await server.send({ method: "GET", path, key });
    if (status === 200 && body.status === "completed") return;
    if (status !== 200 && !isPassing(status)) throw new Error(`${path} was answered ${status}`);
    await pause();
  }
}
