export { TaskFailure, type TaskFailureOptions } from "@opspawn/sdk";
export type { AgentOptions, PlatformOptions } from "./serve/agent-options.ts";
export { jsonLineLogger, type Logger } from "./serve/logger.ts";
export { type ServedAgent, serveAgent } from "./serve/serve-agent.ts";
export type { AgentTask, TaskHandler } from "./serve/task.ts";
