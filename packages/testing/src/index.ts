export { type DeathOptions, type FailureOptions, Reply, type ReplyOptions, reply } from "./agents/reply.ts";
export type { Handler, Script } from "./agents/script.ts";
export type { TestTask } from "./agents/task.ts";
export type { AgentScript, TestHost, ToolScript } from "./agents/test-agent.ts";
export { type Decision, type PlatformOptions, type RunOptions, TestPlatform } from "./test-platform.ts";
export type { TestSession } from "./test-session.ts";
export type { Latency } from "./world/latency.ts";
