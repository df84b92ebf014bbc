import { agentsSuite } from "./suite/agents.suite.ts";
import { approvalLinksSuite } from "./suite/approval-links.suite.ts";
import { approvalStepsSuite } from "./suite/approval-steps.suite.ts";
import { approvalsSuite } from "./suite/approvals.suite.ts";
import { cancelMessagesSuite } from "./suite/cancel-messages.suite.ts";
import { cancellationsSuite } from "./suite/cancellations.suite.ts";
import { cancelledSessionsSuite } from "./suite/cancelled-sessions.suite.ts";
import { catalogSuite } from "./suite/catalog.suite.ts";
import { childrenSuite } from "./suite/children.suite.ts";
import { circuitsSuite } from "./suite/circuits.suite.ts";
import { claimsSuite } from "./suite/claims.suite.ts";
import { conditionsSuite } from "./suite/conditions.suite.ts";
import { controlSuite } from "./suite/control.suite.ts";
import { countsSuite } from "./suite/counts.suite.ts";
import { deliveriesSuite } from "./suite/deliveries.suite.ts";
import { directClaimsSuite } from "./suite/direct-claims.suite.ts";
import { doubtsSuite } from "./suite/doubts.suite.ts";
import { dueSuite } from "./suite/due.suite.ts";
import { effectsSuite } from "./suite/effects.suite.ts";
import { evidenceSuite } from "./suite/evidence.suite.ts";
import { failuresSuite } from "./suite/failures.suite.ts";
import { forksSuite } from "./suite/forks.suite.ts";
import { graceSuite } from "./suite/grace.suite.ts";
import { healthSuite } from "./suite/health.suite.ts";
import { idempotencySuite } from "./suite/idempotency.suite.ts";
import { itemsSuite } from "./suite/items.suite.ts";
import { leasesSuite } from "./suite/leases.suite.ts";
import { limitedOrderSuite } from "./suite/limited-order.suite.ts";
import { limitsSuite } from "./suite/limits.suite.ts";
import { livenessNeighboursSuite } from "./suite/liveness-neighbours.suite.ts";
import { loopsSuite } from "./suite/loops.suite.ts";
import { neighboursSuite } from "./suite/neighbours.suite.ts";
import { outcomesSuite } from "./suite/outcomes.suite.ts";
import { ownRowsSuite } from "./suite/own-rows.suite.ts";
import { progressSuite } from "./suite/progress.suite.ts";
import { quarantineSuite } from "./suite/quarantine.suite.ts";
import { redriveSuite } from "./suite/redrive.suite.ts";
import { reportsSuite } from "./suite/reports.suite.ts";
import { reservesSuite } from "./suite/reserves.suite.ts";
import { scheduleFiresSuite } from "./suite/schedule-fires.suite.ts";
import { schedulesSuite } from "./suite/schedules.suite.ts";
import { schemasSuite } from "./suite/schemas.suite.ts";
import { sendersSuite } from "./suite/senders.suite.ts";
import { sessionsSuite } from "./suite/sessions.suite.ts";
import { signalsSuite } from "./suite/signals.suite.ts";
import { slotsSuite } from "./suite/slots.suite.ts";
import { stateReportsSuite } from "./suite/state-reports.suite.ts";
import { declareOn, type MakeRig, type Suite } from "./suite/test-rig.ts";
import { toolRegistrySuite } from "./suite/tool-registry.suite.ts";
import { toolsSuite } from "./suite/tools.suite.ts";
import { transitionsSuite } from "./suite/transitions.suite.ts";
import { uncertainSuite } from "./suite/uncertain.suite.ts";
import { uncertainStepsSuite } from "./suite/uncertain-steps.suite.ts";
import { undoingSuite } from "./suite/undoing.suite.ts";
import { waitsSuite } from "./suite/waits.suite.ts";

/** What steps are, beside one task of one agent. */
export const LANGUAGE_SUITES: readonly Suite[] = [
  conditionsSuite,
  itemsSuite,
  loopsSuite,
  waitsSuite,
  signalsSuite,
  approvalStepsSuite,
  childrenSuite,
  reservesSuite,
  undoingSuite,
  uncertainSuite,
  uncertainStepsSuite,
  effectsSuite,
  doubtsSuite,
  approvalsSuite,
  approvalLinksSuite,
  controlSuite,
  forksSuite,
  redriveSuite,
];

/** What happens to one leaves those beside it alone. */
export const NEIGHBOUR_SUITES: readonly Suite[] = [ownRowsSuite, neighboursSuite, livenessNeighboursSuite];

export const SUITES: readonly Suite[] = [
  sessionsSuite,
  ...LANGUAGE_SUITES,
  failuresSuite,
  cancellationsSuite,
  cancelMessagesSuite,
  cancelledSessionsSuite,
  outcomesSuite,
  schemasSuite,
  schedulesSuite,
  scheduleFiresSuite,
  sendersSuite,
  reportsSuite,
  evidenceSuite,
  graceSuite,
  stateReportsSuite,
  agentsSuite,
  leasesSuite,
  claimsSuite,
  directClaimsSuite,
  slotsSuite,
  dueSuite,
  limitsSuite,
  limitedOrderSuite,
  circuitsSuite,
  progressSuite,
  healthSuite,
  quarantineSuite,
  toolsSuite,
  toolRegistrySuite,
  catalogSuite,
  countsSuite,
  deliveriesSuite,
  idempotencySuite,
  ...NEIGHBOUR_SUITES,
  transitionsSuite,
];

/** The specification of the store: every implementation runs it. */
export function storeSuite(name: string, makeRig: MakeRig): void {
  const declare = declareOn(name, makeRig);
  for (const suite of SUITES) suite(declare);
}
