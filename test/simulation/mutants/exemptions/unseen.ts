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
    reason: "what AgentKit tells of an agent that it knows differs by version and life only",
    ids: ["store/sqlite/agents.ts sameAgent operand: && known.metadata === text(agent.metadata)"],
  },
  {
    reason: "nobody judges which states of an agent are called ambiguous",
    ids: [
      "store/sqlite/agents.ts restart conjunct: id = ?",
      'store/sqlite/deliveries.ts enqueueDelivery.isMessage operand: || delivery.kind === "task"',
    ],
  },
  {
    reason: "no agent both registers itself and is told of, and news of it are out of date by their time or not at all",
    ids: ["store/sqlite/agents.ts lastAnnounced conjunct: id = ?"],
  },
  {
    reason: "nobody compares what a message says of its workflow",
    ids: [
      "store/sqlite/agents.ts workflowOf conjunct: id = ?",
      "store/sqlite/agents.ts workflowOf guard: sessionId === null",
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
    reason: "nobody compares an outcome drawn from states with what the agent had done when it was believed",
    ids: [
      'store/sqlite/claim.ts countMessage operand: || agent.evidence === "explicit"',
      'store/sqlite/claim.ts countMessage operand: || agent.evidence === "named"',
      "store/sqlite/outcomes.ts settle operand: && outcome.evidence !== null",
      'store/sqlite/outcomes.ts settle operand: || attempt.evidence === "named"',
      "store/sqlite/outcomes.ts settleOpen operand: && outcome.evidence !== null",
      "store/sqlite/report-evidence.ts namedReport operand: || newest === undefined",
      "store/sqlite/report-evidence.ts namedReport operand: || type === null",
      "store/sqlite/report-evidence.ts namedReport.newest operand: && namedOutcome(state) !== null",
      "store/sqlite/report-evidence.ts recentReports.rows conjunct: agent_id = ?",
      "store/sqlite/report-evidence.ts recentReports.rows conjunct: received_at >= ?",
      'store/sqlite/report-evidence.ts settleBare condition: attempt.wake_for !== "grace"',
      'store/sqlite/report-evidence.ts settleBare condition: outcome.type === "completed" && agent.held === 1',
      "store/sqlite/report-evidence.ts settleBare operand: && agent.held === 1",
      'store/sqlite/report-evidence.ts settleBare operand: && outcome.type === "completed"',
      "store/sqlite/report-evidence.ts settleBare operand: || attempt.sends !== 1",
      "store/sqlite/report-evidence.ts settleBare operand: || proof.open !== 1",
      "store/sqlite/report-evidence.ts settleBare.graceOver operand: && attempt.wake_at !== null",
      "store/sqlite/report-evidence.ts settleBare.graceOver operand: && attempt.wake_at <= tx.now",
      'store/sqlite/report-evidence.ts settleBare.graceOver operand: && attempt.wake_for === "grace"',
      "store/sqlite/report-evidence.ts settleBare.messages conjunct: id = ?",
      'store/sqlite/report-evidence.ts settleBy condition: outcome.type === "failed" && agent.state.toLowerCase() === "error"',
      'store/sqlite/report-evidence.ts settleBy operand: && agent.state.toLowerCase() === "error"',
      'store/sqlite/report-evidence.ts settleBy operand: && outcome.type === "failed"',
      "store/sqlite/report-evidence.ts settleFromReports guard: closed.length === 0",
      'store/sqlite/reports.ts becomeIdle operand: && agent.evidence !== "explicit"',
      "store/sqlite/reports.ts forgetMessages conjunct: messages_since_idle > 0",
      'store/sqlite/reports.ts noteNaming guard: !isStronger("named", agent.evidence)',
      "store/sqlite/reports.ts noteNaming.its conjunct: task_id = ?",
      "store/sqlite/reports.ts report condition: incoming.taskId !== null",
      "store/sqlite/reports.ts report condition: keepsLease(agent)",
      'store/sqlite/reports.ts report operand: || state === "finished"',
      "store/sqlite/reports.ts takeState condition: agent.state !== incoming.state",
      'store/sqlite/reports.ts takeState.ours operand: && incoming.state.toLowerCase() === "active"',
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
      'store/sqlite/task-failure.ts failTask operand: && outcome.type === "failed"',
    ],
  },
  {
    reason: "agents of the simulated world are never removed",
    ids: [
      "store/sqlite/expiry.ts expireAgent operand: || agent === undefined",
      "store/sqlite/sender.ts broken guard: agent === undefined",
      "store/sqlite/sender.ts undelivered condition: agent !== undefined",
      "store/sqlite/task-store.ts extendLease operand: || agent === undefined",
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
    reason: "nobody judges that an attempt is sent which ended in the batch that claimed it",
    ids: [
      "store/sqlite/hints.ts CommitHints.forgetEnded guard: this.claimed.length === 0 || this.endedAttempts.length === 0",
      "store/sqlite/hints.ts CommitHints.forgetEnded operand: || this.claimed.length === 0",
      "store/sqlite/hints.ts CommitHints.forgetEnded operand: || this.endedAttempts.length === 0",
    ],
  },
  {
    reason: "nobody judges what a silent agent keeps",
    ids: ["store/sqlite/loss.ts loseSilent guard: !holdsLease(agent, attempt)"],
  },
  {
    reason: "a simulated minute has nothing old enough to be pruned, and one process at a time",
    ids: [
      "store/sqlite/process-store.ts processStore.beat conjunct: epoch = ?",
      "store/sqlite/process-store.ts processStore.resign conjunct: epoch = ?",
    ],
  },
  {
    reason: "nobody compares results with what the agents reported",
    ids: [
      "store/sqlite/report-evidence.ts member operand: || Array.isArray(value)",
      'store/sqlite/report-evidence.ts member operand: || typeof value !== "object"',
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
    reason: "there are no sessions of a newer version in the simulated world",
    ids: ["store/sqlite/session-unit.ts SessionUnit.load.row conjunct: format <= ?"],
  },
  {
    reason: "nobody asks for a session that is not there or has ended, or for what it is answered",
    ids: ["store/sqlite/sessions.ts startSession condition: start.saveWorkflow === true"],
  },
  {
    reason: "sessions of the simulated world have no labels",
    ids: [
      "store/sqlite/sessions.ts labelSession conjunct: key = ?",
      "store/sqlite/sessions.ts labelSession conjunct: value = ?",
    ],
  },
  {
    reason: "no simulated agent comes back with fewer slots",
    ids: ["store/sqlite/slots.ts releaseSlot condition: slot < agent.maxConcurrency"],
  },
  {
    reason: "nobody judges that the first loss is made up for at once, nor that a fallback is taken once",
    ids: [
      'store/sqlite/task-failure.ts failTask.lost operand: && outcome.reason === "lost"',
      'store/sqlite/task-failure.ts failTask.lost operand: && outcome.type === "failed"',
    ],
  },
  {
    reason: "agents of the simulated world are never removed, announced or moved",
    ids: ["store/sqlite/task-failure.ts abandon operand: && task.fell_back === 0"],
  },
  {
    reason: "nobody compares a past attempt with the one a late result names",
    ids: ["store/sqlite/task-row.ts changeAttempt guard: task.last !== attempt"],
  },
  {
    reason: "nobody compares what a task or a lease is answered with, and single tasks of sessions are never cancelled",
    ids: [
      "store/sqlite/task-store.ts attemptStore.expire condition: isDeaf(db, clock.now())",
      'store/sqlite/task-store.ts extendLease condition: attempt.status !== "acknowledged"',
      "store/sqlite/task-store.ts extendLease condition: resend",
    ],
  },
];
