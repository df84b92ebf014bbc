/** Bounds on workflow definitions. Durations are microseconds; lengths are characters (UTF-16 units). */

const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** Bytes of a definition given as text, JSON or YAML. */
export const DEFINITION_BYTES_MAX = 262_144;
/** Lexical pieces of a YAML text: about a second of reading at the very worst. */
export const YAML_LEXEMES_MAX = 150_000;
/** Uses of YAML aliases (`*name`). */
export const YAML_ALIASES_MAX = 100;
/** Levels of nesting, the document itself included. */
export const DOCUMENT_DEPTH_MAX = 64;
/** Values of a document, containers and scalars, after YAML aliases are expanded. */
export const DOCUMENT_VALUES_MAX = 100_000;
/** Characters of a document written as compact JSON. */
export const DOCUMENT_SIZE_MAX = 1_048_576;

export const STEPS_MAX = 1_000;
/** Names in all `dependsOn` lists together. */
export const DEPENDENCIES_MAX = 10_000;
export const WORKFLOW_ID_LENGTH_MAX = 200;
export const VERSION_LENGTH_MAX = 100;
export const STEP_ID_LENGTH_MAX = 200;
export const NAME_LENGTH_MAX = 1_000;
export const DESCRIPTION_LENGTH_MAX = 10_000;
/** Of `agentId`, `agentName`, `agentCapability` and `tool`. */
export const TARGET_LENGTH_MAX = 200;

export const ATTEMPTS_MAX = 100;
/** Bounds on one attempt. */
export const TIMEOUT_MIN = 1_000;
export const TIMEOUT_MAX = 7 * DAY;
/** Bounds on a step or a session. */
export const DEADLINE_MIN = 1_000;
export const DEADLINE_MAX = 365 * DAY;
/** Longest wait before a retry, or between the runs of a `repeat`. */
export const DELAY_MAX = DAY;
/** Larger is sooner; one point is worth a minute of waiting. */
export const PRIORITY_MIN = -1_000;
export const PRIORITY_MAX = 1_000;

/** Items of one `forEach`. */
export const ITEMS_MAX = 10_000;
/** Items of one `forEach` under way at once. */
export const CONCURRENCY_MAX = 100;
/** Characters of a key of `concurrency` or `rateLimit`, once it is evaluated. */
export const LIMIT_KEY_LENGTH_MAX = 200;
/** Of `concurrency.limit` and `rateLimit.limit`. */
export const LIMIT_MAX = 10_000;
/** Bounds on `rateLimit.per`. */
export const RATE_PER_MIN = 1_000;
export const RATE_PER_MAX = DAY;
/** Runs of one `repeat`. */
export const ITERATIONS_MAX = 1_000;
/** Sessions inside each other: a workflow that starts itself must end somewhere. */
export const CHILD_DEPTH_MAX = 10;
/** Of `wait.signal`. */
export const SIGNAL_NAME_LENGTH_MAX = 200;
/** Bounds on `wait.for` and on the `timeout` of a signal. */
export const WAIT_MIN = 1_000;
export const WAIT_MAX = 365 * DAY;
export const APPROVAL_TIMEOUT_MIN = 1_000;
export const APPROVAL_TIMEOUT_MAX = 365 * DAY;
/** Bounds on `approval.remindEvery`. */
export const REMIND_EVERY_MIN = 60 * SECOND;
export const REMIND_EVERY_MAX = 365 * DAY;
/** So often an approval is asked again at most, however long nobody decides. */
export const REMINDERS_MAX = 100;
/** Names in `approval.approvers`. */
export const APPROVERS_MAX = 100;
export const APPROVER_LENGTH_MAX = 100;

/** Characters of one schema written as JSON. */
export const SCHEMA_SIZE_MAX = 65_536;
/** Patterns in all schemas of a definition: each costs a few milliseconds to compile. */
export const SCHEMA_PATTERNS_MAX = 50;
/** Steps it may take to compare one value with its schema. About 100 ms at the very worst. */
export const VALIDATION_STEPS_MAX = 500_000;
/** Schemas applied inside each other: value depth times references. Only a chain of hundreds of `$ref` gets there. */
export const VALIDATION_NESTING_MAX = 500;
