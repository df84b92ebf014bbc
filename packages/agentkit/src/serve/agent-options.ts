import { type JsonObject, OpspawnError, parseDuration } from "@opspawn/contract";
import { type Chance, type Clock, OpspawnClient, TaskFailure } from "@opspawn/sdk";
import type { Logger } from "./logger.ts";
import type { TaskHandler } from "./task.ts";

export interface AgentOptions {
  /** Unique on its platform. */
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  /** What it can do; default: the names of `handlers`. */
  readonly capabilities?: readonly string[];
  /** One handler per capability. A task that names no capability goes by its `task_name`, or to the only handler. */
  readonly handlers?: Readonly<Record<string, TaskHandler>>;
  /** One handler for everything, instead of `handlers`. */
  readonly handle?: TaskHandler;
  readonly platform: PlatformOptions;
  /** Default: any free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** The address the platform is given; default `http://HOST:PORT/`. */
  readonly contactEndpoint?: string;
  /** Tasks at once, default 1. */
  readonly maxConcurrency?: number;
  /** Longest time without progress, from the first `progress` of a task on, where its step names none. Default: none. */
  readonly silenceTimeout?: string;
  /** How long a delivery is kept open for its outcome before it is acknowledged, default `5s`. */
  readonly answerWithin?: string;
  /** How long a stop waits for tasks in hand, default `5s`. */
  readonly stopWithin?: string;
  /** How long to try to reach the platform at the start, default `60s`. */
  readonly registerWithin?: string;
  /** Where the agent keeps its key, so that after a restart it gets its id back. */
  readonly identityFile?: string;
  /** Bytes a request body may hold, default 1 MB. */
  readonly maxBody?: number;
  /** Shared with the platform: deliveries that are not signed with it are refused. */
  readonly secret?: string;
  readonly onReady?: (agent: { agentId: string; url: string }) => void;
  /** Default: none. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

export interface PlatformOptions {
  /** Its root, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** An operator's key, for platforms that let nobody register without one. */
  readonly key?: string;
  /** Where Ops-Core answers when `url` is a separate AgentKit; default `url`. */
  readonly opsCoreUrl?: string;
}

/** The options with their defaults. Durations are microseconds. */
export interface AgentSettings {
  readonly capabilities: readonly string[];
  readonly handle: TaskHandler;
  readonly metadata: JsonObject;
  readonly maxConcurrency: number;
  readonly answerWithin: number;
  readonly stopWithin: number;
  readonly registerWithin: number;
  readonly maxBody: number;
  readonly platformUrl: string;
  readonly opsCoreUrl: string;
}

/** @throws OpspawnError `invalid_request`, naming the option */
export function settingsOf(options: AgentOptions): AgentSettings {
  if (options.name === "") throw invalid("name", "must not be empty");
  const maxConcurrency = options.maxConcurrency ?? 1;
  if (!Number.isInteger(maxConcurrency) || maxConcurrency < 1) throw invalid("maxConcurrency", "must be 1 or more");
  return {
    capabilities: options.capabilities ?? Object.keys(options.handlers ?? {}),
    handle: handlerOf(options),
    metadata: {
      description: options.description ?? null,
      config: { maxConcurrency, cancel: true, ...silenceOf(options) },
    },
    maxConcurrency,
    answerWithin: durationOf("answerWithin", options.answerWithin ?? "5s"),
    stopWithin: durationOf("stopWithin", options.stopWithin ?? "5s"),
    registerWithin: durationOf("registerWithin", options.registerWithin ?? "60s"),
    maxBody: options.maxBody ?? 1_048_576,
    platformUrl: rootOf(options.platform.url),
    opsCoreUrl: rootOf(options.platform.opsCoreUrl ?? options.platform.url),
  };
}

function silenceOf({ silenceTimeout }: AgentOptions): JsonObject {
  if (silenceTimeout === undefined) return {};
  durationOf("silenceTimeout", silenceTimeout);
  return { silenceTimeout };
}

/** In the form the client uses. */
function rootOf(url: string): string {
  return new OpspawnClient({ baseUrl: url }).baseUrl;
}

function durationOf(option: string, text: string): number {
  const micros = parseDuration(text);
  if (micros === null) throw invalid(option, `must be a duration such as "30s", not "${text}"`);
  return micros;
}

function handlerOf({ handlers, handle }: AgentOptions): TaskHandler {
  if ((handlers === undefined) === (handle === undefined)) throw invalid("handlers", "or `handle` must be given");
  if (handle !== undefined) return handle;
  const byName = new Map(Object.entries(handlers ?? {}));
  if (byName.size === 0) throw invalid("handlers", "must hold at least one");
  const only = byName.size === 1 ? [...byName.values()][0] : undefined;
  return (task) => {
    const handler = task.capability === null ? (byName.get(task.name ?? "") ?? only) : byName.get(task.capability);
    if (handler !== undefined) return handler(task);
    const wanted = task.capability ?? task.name ?? "nothing in particular";
    const message = `This agent does ${[...byName.keys()].join(", ")}; it was asked for ${wanted}.`;
    throw new TaskFailure(message, { code: "capability_unknown", retryable: false });
  };
}

function invalid(option: string, message: string): OpspawnError {
  return new OpspawnError("invalid_request", `serveAgent: ${option} ${message}.`);
}
