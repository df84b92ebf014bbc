import { Agents } from "./agents.ts";
import { Approvals } from "./approvals.ts";
import { Deliveries } from "./deliveries.ts";
import { Events } from "./events.ts";
import { Keys } from "./keys.ts";
import { Limits } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { Schedules } from "./schedules.ts";
import { Sessions } from "./sessions.ts";
import { Tasks } from "./tasks.ts";
import { Tools } from "./tools.ts";
import { type ClientOptions, Transport } from "./transport.ts";
import { Workflows } from "./workflows.ts";

/**
 * Speaks to an Opspawn server, one field per noun.
 *
 * Calls throw `OpspawnApiError` (the server said no), `OpspawnConnectionError` (nobody answered) or, for arguments that
 * cannot be sent at all, `OpspawnError` `invalid_request`.
 */
export class OpspawnClient {
  /** In the one form all requests use. */
  readonly baseUrl: string;
  readonly agents: Agents;
  readonly approvals: Approvals;
  readonly deliveries: Deliveries;
  readonly events: Events;
  readonly keys: Keys;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly schedules: Schedules;
  readonly sessions: Sessions;
  readonly tasks: Tasks;
  readonly tools: Tools;
  readonly workflows: Workflows;

  /** @throws OpspawnError `invalid_request` when the address or the key cannot be one */
  constructor(options: ClientOptions) {
    const transport = new Transport(options);
    this.baseUrl = transport.baseUrl;
    this.agents = new Agents(transport);
    this.approvals = new Approvals(transport);
    this.deliveries = new Deliveries(transport);
    this.events = new Events(transport);
    this.keys = new Keys(transport);
    this.limits = new Limits(transport);
    this.metrics = new Metrics(transport);
    this.schedules = new Schedules(transport);
    this.sessions = new Sessions(transport);
    this.tasks = new Tasks(transport);
    this.tools = new Tools(transport);
    this.workflows = new Workflows(transport);
  }
}
