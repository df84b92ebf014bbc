// An agent of its own process: it waits as long as a task says (or as it was told), then says who did it.
// Usage: agent.ts NAME CAPABILITY ANSWER_WITHIN ALWAYS_MS; where the platform is comes in the environment.

import { setTimeout as wait } from "node:timers/promises";
import { serveAgent } from "@opspawn/agentkit";

const [name = "", capability = "", answerWithin = "5s", alwaysMs = "0"] = process.argv.slice(2);
const { AGENTKIT_API_URL = "", OPSCORE_API_URL = "", OPSCORE_API_KEY = "", OPSCORE_WEBHOOK_SECRET = "" } = process.env;

const agent = await serveAgent({
  name,
  version: "1",
  capabilities: [capability],
  answerWithin,
  stopWithin: "1ms",
  platform: { url: AGENTKIT_API_URL, opsCoreUrl: OPSCORE_API_URL, key: OPSCORE_API_KEY },
  secret: OPSCORE_WEBHOOK_SECRET,
  handle: async ({ taskId, parameters, attempt, signal }) => {
    process.send?.({ began: taskId });
    const ms = typeof parameters.ms === "number" ? parameters.ms : Number(alwaysMs);
    await wait(ms, undefined, { signal });
    process.send?.({ ended: taskId });
    return { by: name, attempt, given: parameters };
  },
});
process.send?.({ ready: agent.agentId });
