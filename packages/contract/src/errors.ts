import type { JsonObject } from "./json-value.ts";

/**
 * The error catalogue: every code a caller can meet, on any transport. A code is never reused for another meaning.
 * `status` is the HTTP status; `retryable` tells a client that the same request may succeed later.
 */
export interface ErrorSpec {
  readonly status: number;
  readonly retryable: boolean;
  /** What the reader of the error can do about it. */
  readonly help: string;
}

export const ERRORS = {
  // Requests
  json_invalid: { status: 422, retryable: false, help: "Send well-formed JSON." },
  invalid_request: { status: 422, retryable: false, help: "Correct the fields named in `detail`." },
  invalid_text: { status: 422, retryable: false, help: "Remove NUL characters and lone surrogates from the text." },
  invalid_cursor: { status: 422, retryable: false, help: "Use the `nextCursor` of the previous page, or none." },
  body_too_large: { status: 413, retryable: false, help: "Send less, or send it by reference." },
  too_deep: { status: 422, retryable: false, help: "Nest JSON at most 64 levels deep." },
  unsupported_media_type: { status: 415, retryable: false, help: "Send `content-type: application/json`." },
  not_found: { status: 404, retryable: false, help: "Check the path." },
  method_not_allowed: { status: 405, retryable: false, help: "Use a method of the `allow` header." },
  malformed_http: { status: 400, retryable: false, help: "Send well-formed HTTP/1.1." },
  headers_too_large: { status: 431, retryable: false, help: "Send at most 16 KB of headers, the path included." },
  request_timeout: {
    status: 408,
    retryable: true,
    help: "Send the whole request within 30 s, its headers within 10 s.",
  },
  // Identity
  unauthenticated: { status: 401, retryable: false, help: "Send `Authorization: Bearer <key>`." },
  forbidden: { status: 403, retryable: false, help: "Use a key whose scopes cover this operation." },
  signature_invalid: { status: 401, retryable: false, help: "Sign the raw body with the shared secret." },
  signature_replayed: { status: 409, retryable: false, help: "Sign each message anew." },
  // Nouns
  agent_not_found: { status: 404, retryable: false, help: "List agents to see the known ids." },
  agent_name_taken: { status: 409, retryable: false, help: "Choose another name, or present the agent's own key." },
  workflow_not_found: { status: 404, retryable: false, help: "List workflows to see the known ids and versions." },
  workflow_invalid: { status: 422, retryable: false, help: "Correct the definition at the paths named in `detail`." },
  workflow_version_exists: { status: 409, retryable: false, help: "Give the changed definition a new version." },
  session_not_found: { status: 404, retryable: false, help: "List sessions to see the known ids." },
  session_terminal: { status: 409, retryable: false, help: "The session has ended; start a new one." },
  input_invalid: { status: 422, retryable: false, help: "Correct the input at the paths named in `detail`." },
  output_invalid: {
    status: 422,
    retryable: false,
    help: "Answer what the output schema asks for, at the paths named.",
  },
  no_target: {
    status: 422,
    retryable: false,
    help: "Name an agent or capability on each step, or start with an agent.",
  },
  task_not_found: { status: 404, retryable: false, help: "List tasks to see the known ids." },
  task_terminal: { status: 409, retryable: false, help: "The task has ended; nothing more can change it." },
  task_not_dead_letter: {
    status: 409,
    retryable: false,
    help: "Only a failed task that ran out of attempts or time can be redriven.",
  },
  lease_lost: { status: 409, retryable: false, help: "Stop: this attempt was given away, ended or cancelled." },
  not_cancelled: { status: 409, retryable: false, help: "Go on with it: nobody cancelled this attempt." },
  effect_not_found: { status: 404, retryable: false, help: "Announce the effect before you tell what came of it." },
  effect_differs: {
    status: 409,
    retryable: false,
    help: "Stop. Give what differs another `effectId`; whether the first one happened has to be found out.",
  },
  too_many_effects: { status: 409, retryable: false, help: "Announce fewer effects, or split the step." },
  schedule_not_found: { status: 404, retryable: false, help: "List schedules to see the known ids and names." },
  schedule_name_taken: { status: 409, retryable: false, help: "Choose another name, or update the schedule." },
  tool_not_found: { status: 404, retryable: false, help: "List tools to see the known names." },
  tool_name_taken: { status: 409, retryable: false, help: "Choose another tool name." },
  delivery_not_found: { status: 404, retryable: false, help: "List deliveries to see the known ids." },
  key_not_found: { status: 404, retryable: false, help: "List keys to see the known ids." },
  // Idempotency
  idempotency_key_reused: { status: 409, retryable: false, help: "Use a new Idempotency-Key for a different request." },
  outcome_unknown: {
    status: 409,
    retryable: false,
    help: "The first call was interrupted; look at its effect before repeating it.",
  },
  // Outbound
  endpoint_refused: {
    status: 422,
    retryable: false,
    help: "Use a public address, or let the operator allow this one.",
  },
  upstream_unreachable: { status: 503, retryable: true, help: "The other server could not be reached; try again." },
  upstream_timeout: { status: 504, retryable: true, help: "The other server did not answer in time; try again." },
  upstream_failed: { status: 502, retryable: true, help: "The other server answered with an error." },
  // Waiting for people and other systems
  approval_not_found: { status: 404, retryable: false, help: "List approvals to see the known ids." },
  approval_decided: { status: 409, retryable: false, help: "Look at the approval: it was decided, or is not needed." },
  approval_stale: { status: 409, retryable: false, help: "Read the approval again, and decide on what it says now." },
  approval_link_not_found: { status: 404, retryable: false, help: "Open the whole link, as it was sent to you." },
  approval_link_ended: { status: 410, retryable: false, help: "Ask for a new link, or decide with a key." },
  too_many_links: { status: 409, retryable: false, help: "Use one of the links made for this approval." },
  signal_unknown: { status: 422, retryable: false, help: "Send one of the signals that the workflow waits for." },
  too_many_signals: { status: 409, retryable: false, help: "Wait until the session has taken some." },
  session_compensating: { status: 409, retryable: false, help: "Wait: it undoes what it did, and then has failed." },
  session_open: { status: 409, retryable: false, help: "Wait for its end, or cancel it." },
  session_completed: { status: 409, retryable: false, help: "Fork it from the step that is to be done again." },
  step_not_finished: { status: 409, retryable: false, help: "Fork from a step that began; the session names them." },
  parent_paused: { status: 409, retryable: false, help: "Resume the session that it is a step of." },
  nesting_too_deep: { status: 422, retryable: false, help: "Start fewer sessions from within sessions." },
  // Expressions
  expression_failed: { status: 422, retryable: false, help: "Correct the expression at the path named." },
  too_many_items: { status: 422, retryable: false, help: "Give `forEach` a shorter list, or lists of items." },
  // Capacity and service
  rate_limited: { status: 429, retryable: true, help: "Wait as long as `retry-after` says." },
  too_many_streams: {
    status: 429,
    retryable: true,
    help: "Close a stream, or let the operator raise OPSPAWN_MAX_STREAMS.",
  },
  overloaded: { status: 503, retryable: true, help: "The server has too much to do; try again." },
  unavailable: { status: 503, retryable: true, help: "The outcome is unknown; repeat with the same Idempotency-Key." },
  shutting_down: { status: 503, retryable: true, help: "The server is stopping; try again shortly." },
  storage_full: { status: 507, retryable: true, help: "Free disk space on the server." },
  internal: { status: 500, retryable: false, help: "A defect of the server; see its log under the request id." },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** One wrong place in a request: `loc` is the path from its root (`["body", "steps", 0, "id"]`). */
export interface Issue {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

export interface OpspawnErrorOptions {
  /** The wrong places, for errors about input. */
  readonly issues?: readonly Issue[];
  /** Seconds until a retry makes sense; sent as `retry-after`. */
  readonly retryAfter?: number;
  /** More fields of the answer, beside `detail` and `code`. */
  readonly details?: JsonObject;
  /** For the log; never sent to a caller. */
  readonly cause?: unknown;
}

/** The one error class that crosses layers. `message` is safe to show to the caller. */
export class OpspawnError extends Error {
  override readonly name = "OpspawnError";
  readonly code: ErrorCode;
  readonly issues: readonly Issue[] | undefined;
  readonly retryAfter: number | undefined;
  readonly details: JsonObject | undefined;

  constructor(code: ErrorCode, message: string, options: OpspawnErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues;
    this.retryAfter = options.retryAfter;
    this.details = options.details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
