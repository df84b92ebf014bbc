import type { JsonObject } from "@opspawn/contract";

const AGENT = "01890a5d-ac96-774b-bcce-b302099a8057";
const SUBJECT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const WORKFLOW: JsonObject = {
  id: "review-article",
  name: "Review an article",
  version: "1.0",
  tasks: [
    { taskId: "fetch", agentCapability: "web.fetch", parameters: { url: "${{ input.url }}" } },
    {
      taskId: "score",
      dependsOn: ["fetch"],
      agentCapability: "text.score",
      parameters: { text: "${{ steps.fetch.result }}" },
    },
  ],
  output: "${{ steps.score.result }}",
};

/** A body for each operation that takes one; each is a valid request. */
export const BODY_EXAMPLES: Readonly<Record<string, JsonObject>> = {
  "agents.register": {
    agentName: "scorer",
    capabilities: ["text.score"],
    contactEndpoint: "http://127.0.0.1:9001/",
    maxConcurrency: 2,
  },
  "agents.quarantine": { reason: "Its answers are wrong since this morning" },
  "agents.claim": { wait: "20s", max: 1 },
  "workflows.apply": { definition: WORKFLOW },
  "workflows.validate": { definition: WORKFLOW },
  "sessions.start": {
    workflowId: "review-article",
    input: { url: "https://example.com/article" },
    labels: { team: "news" },
  },
  "sessions.retry": { labels: { team: "news" } },
  "sessions.fork": { from: "score", parameters: { text: "The corrected text of the article" } },
  "sessions.pause": { reason: "The index is being rebuilt" },
  "sessions.cancel": { reason: "No longer needed" },
  "sessions.label": { labels: { team: "news" } },
  "schedules.create": {
    name: "review-nightly",
    workflowId: "review-article",
    input: { url: "https://example.com/front-page" },
    cron: "30 2 * * *",
    timeZone: "Europe/Berlin",
    overlap: "skip",
  },
  "schedules.update": { name: "review-nightly", workflowId: "review-article", every: "15m", overlap: "queue" },
  "schedules.pause": { note: "The site is being moved" },
  "schedules.backfill": { from: "2026-05-01T00:00:00Z", to: "2026-05-04T00:00:00Z", max: 10, dryRun: true },
  "approvals.approve": { comment: "Looks good.", subjectHash: SUBJECT },
  "approvals.reject": { comment: "The price is wrong." },
  "approvals.link": { decision: "any", expiresIn: "24h", for: "carol" },
  "tasks.create": { name: "Fetch a page", capability: "web.fetch", parameters: { url: "https://example.com" } },
  "tasks.result": { token: "1.8PJ2yWkXw1rJtq0aBC3dEg", status: "completed", result: { score: 0.93 } },
  "tasks.progress": { token: "1.8PJ2yWkXw1rJtq0aBC3dEg", counter: 12, note: "page 12 of 40" },
  "effects.announce": {
    token: "1.x7mK2p",
    effectId: "charge",
    kind: "payment",
    description: "Charge the card",
    payload: { amount: 12 },
  },
  "effects.receipt": { token: "1.x7mK2p", status: "done", result: { id: "ch_7" } },
  "tasks.lease": { token: "1.8PJ2yWkXw1rJtq0aBC3dEg" },
  "tasks.cancellation": { token: "1.8PJ2yWkXw1rJtq0aBC3dEg", status: "stopped", note: "Half of it was written." },
  "tools.register": {
    name: "weather",
    description: "The weather at a place",
    parameters: { type: "object", required: ["place"], properties: { place: { type: "string" } } },
    endpoint: "https://tools.example.com/weather",
  },
  "keys.create": { name: "dashboard", scopes: ["agents:read", "sessions:read", "tasks:read"], expiresIn: "90d" },
};

/** What stands for a parameter in examples. */
export const PARAMETER_EXAMPLES: Readonly<Record<string, string>> = {
  agentId: AGENT,
  sessionId: "01890a5d-ac96-774b-bcce-b302099a8058",
  scheduleId: "sch_01890a5d-ac96-774b-bcce-b302099a805d",
  effectId: "charge",
  taskId: "task_01890a5d-ac96-774b-bcce-b302099a8059",
  workflowId: "review-article",
  approvalId: "apr_01890a5d-ac96-774b-bcce-b302099a805d",
  deliveryId: "dlv_01890a5d-ac96-774b-bcce-b302099a805a",
  keyId: "key_01890a5d-ac96-774b-bcce-b302099a805b",
  name: "weather",
};
