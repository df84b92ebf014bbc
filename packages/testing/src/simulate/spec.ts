import {
  DURATION_HINT,
  type Issue,
  type JsonObject,
  type JsonValue,
  OpspawnError,
  parseDuration,
} from "@opspawn/contract";
import { readYaml, TextFailure } from "@opspawn/ops-core/testing";
import { z } from "zod";
import { drawFrom, type Latency } from "../world/latency.ts";

const AGENTS_MAX = 1_000;

/** A part of all, from 0 to 1: a number, or text such as `2%`. */
const share = z.unknown().transform((value, context): number => {
  const match = typeof value === "string" ? /^(\d{1,3}(?:\.\d+)?)%$/.exec(value) : null;
  const number = match === null ? value : Number(match[1]) / 100;
  if (typeof number === "number" && number >= 0 && number <= 1) return number;
  return refused(context, 'must be a share such as "2%" or 0.02');
});

const duration = z.unknown().transform((value, context): number => {
  const micros = typeof value === "string" ? parseDuration(value) : null;
  return micros ?? refused(context, `must be ${DURATION_HINT}`);
});

const LATENCY_HINT = "must be a duration such as 3s, { from: 1s, to: 5s } or { p50: 2s, p95: 9s }";

const latency = z.unknown().transform((value, context): Latency => {
  if (!isLatency(value)) return refused(context, LATENCY_HINT);
  try {
    drawFrom(value);
    return value;
  } catch (error) {
    return refused(context, error instanceof RangeError ? error.message : LATENCY_HINT);
  }
});

const json = z.custom<JsonValue>((value) => value !== undefined, "Required");

/** What agents and tools have in common. */
const conduct = {
  latency: latency.default("0s"),
  /** Attempts that fail and may be tried again. */
  errors: share.default(0),
  /** Attempts that fail in a way that another try does not mend. */
  permanentErrors: share.default(0),
  /** Attempts that are never answered. */
  silence: share.default(0),
  /** It dies now and then, and is there again after a while; both are means. */
  fails: z.strictObject({ every: duration, repair: duration }).optional(),
  /** The result of every task; absent: a value that fits the step's schema, or null. */
  result: json.optional(),
  /** Results by step. */
  results: z.record(z.string(), json).default({}),
};

const name = z.string().min(1).max(200);

const agent = z.strictObject({
  ...conduct,
  name,
  /** How many there are of it. */
  count: z.number().int().min(1).max(AGENTS_MAX).default(1),
  capabilities: z.array(z.string().min(1).max(200)).max(100).default([]),
  /** Tasks each takes at once. */
  concurrency: z.number().int().min(1).max(1_000).default(1),
});

const tool = z.strictObject({
  ...conduct,
  /** Calls it takes at once. */
  concurrency: z.number().int().min(1).max(1_000).default(10),
});

const decision = z.strictObject({
  /** How long somebody takes to decide. */
  after: latency.default("0s"),
  /** How many are approved; the others are rejected. */
  approve: share.default(1),
  /** How many nobody ever decides. */
  never: share.default(0),
});

const signal = z.strictObject({
  /** How long after the session's start it is sent. */
  after: latency.default("0s"),
  payload: json.default(null),
  /** How many sessions never get it. */
  never: share.default(0),
});

const faults = z.strictObject({
  /** The server dies, every so often on average, and is back after `down`. */
  crashes: z.strictObject({ every: duration, down: duration.default(1_000_000) }).optional(),
  /** Answers that are lost on the way. */
  lostAnswers: share.default(0),
  /** Results that agents tell twice. */
  duplicates: share.default(0),
});

const simulation = z.strictObject({
  agents: z.array(agent).max(AGENTS_MAX).default([]),
  tools: z.record(name, tool).default({}),
  /** By step; `default` is for the others. */
  approvals: z.record(name, decision).default({}),
  signals: z.record(name, signal).default({}),
  /** The input of every session. */
  input: json.optional(),
  /** Such as `10/s`; absent: all at once. */
  arrivals: z.string().optional(),
  faults: faults.default({ lostAnswers: 0, duplicates: 0 }),
});

export type SimulationSpec = z.infer<typeof simulation>;
export type AgentSpec = SimulationSpec["agents"][number];
export type ToolSpec = SimulationSpec["tools"][string];

/**
 * Reads the text of a description, YAML or JSON.
 * @throws OpspawnError `invalid_request` with line and column
 */
export function readSpecText(text: string): JsonValue {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof TextFailure)) throw error;
    const msg = `line ${error.line}, column ${error.column}: ${error.message}`;
    throw wrong([{ loc: ["agents"], msg, type: "yaml_invalid" }]);
  }
}

/**
 * Reads a description of agents and everything else that a workflow meets.
 * @throws OpspawnError `invalid_request` with every wrong place
 */
export function readSpec(document: JsonValue): SimulationSpec {
  const read = simulation.safeParse(document);
  if (!read.success) throw wrong(read.error.issues.flatMap(toIssues));
  const issues = duplicateNames(read.data);
  if (issues.length > 0) throw wrong(issues);
  return read.data;
}

/** The error of a description with these wrong places. */
export function wrong(issues: Issue[]): OpspawnError {
  return new OpspawnError("invalid_request", "The description of the agents cannot be used:", { issues });
}

function duplicateNames({ agents }: SimulationSpec): Issue[] {
  const seen = new Set<string>();
  return agents.flatMap(({ name: each }, i): Issue[] => {
    if (!seen.has(each)) {
      seen.add(each);
      return [];
    }
    return [{ loc: ["agents", i, "name"], msg: `\`${each}\` is there twice; use count`, type: "duplicate" }];
  });
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  const loc = issue.path.filter((key) => typeof key !== "symbol");
  if (issue.code !== "unrecognized_keys") return [{ loc, msg: issue.message, type: issue.code }];
  return issue.keys.map((key) => ({ loc: [...loc, key], msg: "Unknown field", type: "unknown_field" }));
}

function isLatency(value: unknown): value is Latency {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value).sort().join();
  const isText = Object.values(value as JsonObject).every((each) => typeof each === "string");
  return isText && (keys === "from,to" || keys === "p50,p95");
}

function refused(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message, input: context.value });
  return z.NEVER;
}
