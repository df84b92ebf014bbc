import type { ExemptGroup } from "./exempt-group.ts";

/** Neither judge does the thing yet, or looks at it: work to do. */
export const UNSEEN: readonly ExemptGroup[] = [
  {
    reason: "endpoints that several agents and tools share, and whose circuits open, are in neither judge's world",
    ids: [
      "store/sqlite/agent-index.ts AgentIndex.setCircuit condition: entry.endpoint === endpoint (2)",
      "store/sqlite/circuits.ts setCircuit condition: agent.endpoint === endpoint",
    ],
  },
  {
    reason: "no endpoint of the simulated world fails for long, and nobody judges when it is tried again",
    ids: [
      "store/sqlite/circuits.ts closeCircuit guard: endpoint === null || !tx.context.agents.failing.has(endpoint)",
      "store/sqlite/circuits.ts closeCircuit operand: || !tx.context.agents.failing.has(endpoint)",
      "store/sqlite/circuits.ts closeCircuit operand: || endpoint === null",
      "store/sqlite/circuits.ts countFailure.circuit operand: || nextProbeAt === null",
      "store/sqlite/circuits.ts countFailure.circuit operand: || openedAt === null",
      "store/sqlite/circuits.ts takeProbe guard: taken !== 1",
      "store/sqlite/circuits.ts takeProbe operand: || agent.endpoint === null",
      "store/sqlite/circuits.ts takeProbe.taken conjunct: next_probe_at = ?",
      'store/sqlite/outcomes.ts judgeCircuit condition: outcome.type === "failed" && outcome.reason !== "lost"',
      'store/sqlite/outcomes.ts judgeCircuit operand: && outcome.reason !== "lost"',
      'store/sqlite/outcomes.ts judgeCircuit operand: && outcome.type === "failed"',
    ],
  },
  {
    reason: "nobody looks at agents of different doubt at once",
    ids: ["store/sqlite/claim.ts chooseDoer guard: doubt >= bestDoubt"],
  },
  {
    reason: "nobody judges who is given work, in which order, or that a transition fails as a defect (`internal`)",
    ids: [
      "store/sqlite/claim.ts hasEarlierWork guard: !tx.context.agents.waiting.has(lane)",
      "store/sqlite/dispatch.ts claimLanes guard: assign(tx, task, agent) === null",
      "store/sqlite/lane-heads.ts forgetIfEmpty conjunct: lane = ?",
      "store/sqlite/lane-heads.ts forgetIfEmpty conjunct: lane = ? (2)",
      'store/sqlite/lane-heads.ts forgetIfEmpty guard: tx.get("select 1 from lanes where lane = ?", lane) === undefined',
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: lane = ?",
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: status = 'pending'",
    ],
  },
  {
    reason: "no agent of the simulated world moves, and each has its own place",
    ids: [
      "store/sqlite/deliveries.ts redirectMessages operand: || known.endpoint === null",
      "store/sqlite/deliveries.ts redirectMessages.known conjunct: id = ?",
      "store/sqlite/deliveries.ts redirectMessages.waiting conjunct: endpoint = ?",
    ],
  },
  {
    reason: "filters of the list of deliveries by reason are tested above the store",
    ids: [
      "store/sqlite/deliveries.ts deliveriesWaitingFor conjunct: d.wake_at <= ?",
      "store/sqlite/deliveries.ts deliveriesWaitingFor conjunct: d.wake_at > ?",
    ],
  },
  {
    reason: "no sender of the simulated world comes back after another has taken over",
    ids: [
      "store/sqlite/ending.ts isSender operand: && attempt.epoch === sender.epoch",
      "store/sqlite/outcomes.ts observe operand: || attempt === undefined",
      "store/sqlite/outcomes.ts observe operand: || task === undefined",
    ],
  },
  {
    reason: "nobody judges whether the exchange of an ended attempt goes on",
    ids: ['store/sqlite/ending.ts endAttempt.stop operand: || event === "time_out"'],
  },
  {
    reason: "in no seed does anything happen between the finding of what is due and its judgement",
    ids: [
      "store/sqlite/expiry.ts expireAgent guard: agent === undefined || !isSilent(agent, tx.now)",
      "store/sqlite/expiry.ts expireAgent operand: || !isSilent(agent, tx.now)",
      "store/sqlite/expiry.ts expireAttempt condition: isOpen(attempt)",
      "store/sqlite/expiry.ts expireAttempt condition: resent === null",
      "store/sqlite/expiry.ts expireAttempt guard: attempt.wake_at === null || attempt.wake_at > tx.now",
      "store/sqlite/expiry.ts expireAttempt operand: || attempt.wake_at === null",
      "store/sqlite/expiry.ts expireAttempt operand: || attempt.wake_at > tx.now",
      "store/sqlite/expiry.ts expireSession guard: session === undefined || session.row.wake_at === null || session.row.wake_at > tx.now",
      "store/sqlite/expiry.ts expireSession operand: || session === undefined",
      "store/sqlite/expiry.ts expireSession operand: || session.row.wake_at === null",
      "store/sqlite/expiry.ts expireSession operand: || session.row.wake_at > tx.now",
      "store/sqlite/expiry.ts expireSlot guard: due === undefined",
      "store/sqlite/expiry.ts expireSlot.due conjunct: n = ?",
      "store/sqlite/expiry.ts expireSlot.due conjunct: task_id = ?",
      "store/sqlite/expiry.ts expireSlot.due conjunct: until <= ?",
      "store/sqlite/expiry.ts expireTask guard: task === undefined",
      "store/sqlite/expiry.ts expireTask operand: && task.last !== null",
      'store/sqlite/expiry.ts expireTask operand: && task.status === "running"',
    ],
  },
  {
    reason: "nobody refuses, undoes, pauses or forks at just that moment",
    ids: [
      "domain/workflows/move.ts Move.exceedDeadline.compensate operand: || this.#failure?.compensate === true",
      "domain/workflows/move.ts Move.pause condition: !paused || this.#undoing === null",
      'domain/workflows/move.ts Move.refuse guard: this.#state(index).status !== "waiting"',
      "domain/workflows/move.ts Move.refuse operand: || this.#failure !== null",
      'store/sqlite/expiry.ts expireAttempt condition: attempt.wake_for === "silence" && resent === null',
      'store/sqlite/expiry.ts expireAttempt operand: && attempt.wake_for === "silence"',
      "store/sqlite/expiry.ts expireAttempt operand: && resent === null",
      "store/sqlite/outcomes.ts judgedProbe operand: || (JSON.parse(task.policy) as TaskPolicy).probe !== true",
      "store/sqlite/sender.ts broken operand: && tx.now + delay < attempt.timeout_at",
      "store/sqlite/session-advance.ts isAfterEnd operand: && before === null || stepHasEnded(before)",
      "store/sqlite/session-advance.ts isAfterEnd operand: || before === null",
      "store/sqlite/session-advance.ts isAfterEnd operand: || stepHasEnded(before)",
      'store/sqlite/session-advance.ts writeSession operand: && before !== "paused"',
      "store/sqlite/step-tasks.ts givenParameters.sql conjunct: session_id = ?",
      "store/sqlite/step-tasks.ts leaveUncertain guard: session.failure?.compensate === true && step.compensation !== null",
      "store/sqlite/step-tasks.ts leaveUncertain operand: && session.failure?.compensate === true",
      "store/sqlite/step-tasks.ts leaveUncertain operand: && step.compensation !== null",
    ],
  },
  {
    reason: "agents of the simulated world are never removed",
    ids: [
      "store/sqlite/expiry.ts expireAgent operand: || agent === undefined",
      "store/sqlite/sender.ts broken guard: agent === undefined",
      "store/sqlite/sender.ts undelivered condition: agent !== undefined",
    ],
  },
  {
    reason: "nobody judges that timeouts and leases which fell due in a gap are moved",
    ids: [
      "store/sqlite/gap.ts JUDGED_AT conjunct: key = 'judged_at'",
      "store/sqlite/gap.ts isDeaf operand: && now - Number(row.value) > MAX_SILENCE",
      "store/sqlite/gap.ts markJudged conjunct: lease_until < ?",
      "store/sqlite/gap.ts markJudged conjunct: status = 'running'",
      "store/sqlite/gap.ts markJudged conjunct: wake_at <= ?",
    ],
  },
  {
    reason: "a simulated minute has nothing old enough to be pruned, and one process at a time",
    ids: [
      "store/sqlite/process-store.ts processStore.beat conjunct: epoch = ?",
      "store/sqlite/process-store.ts processStore.resign conjunct: epoch = ?",
    ],
  },
  {
    reason: "in no seed is a message that was sent before undeliverable when it is sent again",
    ids: [
      'store/sqlite/sender.ts undelivered operand: || attempt?.status !== "created"',
      "store/sqlite/sender.ts undelivered operand: || task === undefined",
    ],
  },
  {
    reason:
      "no store of this version writes a session as a newer one does, and two versions on one store come with another store",
    ids: ["store/sqlite/session-unit.ts SessionUnit.load.row conjunct: format <= ?"],
  },
];
