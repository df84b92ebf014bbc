export type { AgentOptions, PlatformOptions } from "./serve/agent-options.ts";
export { jsonLineLogger, type Logger } from "./serve/logger.ts";
export { type ServedAgent, serveAgent } from "./serve/serve-agent.ts";
export { type AgentTask, EffectNotDone, TaskFailure, type TaskFailureOptions, type TaskHandler } from "./serve/task.ts";
