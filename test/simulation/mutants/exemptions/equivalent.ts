import type { ExemptGroup } from "./exempt-group.ts";

/** Nobody could see it. */
export const EQUIVALENT: readonly ExemptGroup[] = [
  {
    reason: "only saves work: what it keeps out is looked up, or written once more, as it is",
    ids: [
      "domain/workflows/move.ts Move.finishIfDone condition: this.#ended === this.#plan.steps.length",
      'store/sqlite/add-task.ts addTask guard: row.status !== "pending" || row.held === 1',
      "store/sqlite/add-task.ts addTask operand: || row.held === 1",
      'store/sqlite/add-task.ts addTask operand: || row.status !== "pending"',
      "store/sqlite/agent-index.ts AgentIndex.leaveLanes condition: left.length > 0",
      "store/sqlite/agent-index.ts AgentIndex.reloadTool guard: this.#stale",
      "store/sqlite/agent-index.ts TOOL_COLUMNS conjunct: agent_id is null",
      "store/sqlite/agent-index.ts TOOL_COLUMNS conjunct: tool is not null",
      "store/sqlite/circuits.ts closeCircuit guard: endpoint === null || !tx.context.agents.failing.has(endpoint)",
      "store/sqlite/circuits.ts closeCircuit operand: || !tx.context.agents.failing.has(endpoint)",
      "store/sqlite/circuits.ts closeCircuit operand: || endpoint === null",
      "store/sqlite/claim.ts claimDirectly operand: && task.limits !== null",
      'store/sqlite/claim.ts countMessage guard: agent.kind === "tool" || agent.evidence === "explicit" || agent.evidence === "named"',
      'store/sqlite/claim.ts countMessage operand: || agent.kind === "tool"',
      "store/sqlite/claim.ts hasEarlierWork guard: !tx.context.agents.waiting.has(lane)",
      "store/sqlite/claim.ts isBefore operand: || line.least >= orderKey",
      'store/sqlite/claim.ts toClaimed operand: || agent.evidence === "explicit"',
      'store/sqlite/claim.ts toClaimed operand: || agent.kind === "tool"',
      "store/sqlite/ending.ts drainingOf guard: task.attempts === 0",
      'store/sqlite/expiry.ts expireAttempt operand: && agent?.kind === "agent"',
      "store/sqlite/lane-heads.ts LaneHeads.admit condition: limits.waitsIn(lane)",
      "store/sqlite/lane-heads.ts LaneHeads.admitLanesOf condition: task.limits !== null",
      "store/sqlite/lane-heads.ts LaneHeads.dropLane guard: limits === null && !this.#tx.context.limits.waitsIn(lane)",
      "store/sqlite/lane-heads.ts LaneHeads.dropLane operand: && !this.#tx.context.limits.waitsIn(lane)",
      "store/sqlite/lane-heads.ts LaneHeads.dropLane operand: && limits === null",
      "store/sqlite/lane-heads.ts LaneHeads.look condition: !tx.context.limits.isNotedAsItIs(line) && !leaveIfEmpty(tx, line)",
      "store/sqlite/lane-heads.ts LaneHeads.look operand: && !leaveIfEmpty(tx, line)",
      "store/sqlite/lane-heads.ts LaneHeads.look operand: && !tx.context.limits.isNotedAsItIs(line)",
      "store/sqlite/lane-heads.ts LaneHeads.look operand: || task.order_key <= (this.#heads.at(-1)?.key ?? task.order_key)",
      "store/sqlite/lane-heads.ts LaneHeads.look operand: || task.order_key === key",
      "store/sqlite/lane-heads.ts forgetIfEmpty conjunct: lane = ?",
      "store/sqlite/lane-heads.ts forgetIfEmpty guard: tx.context.limits.waitsIn(lane)",
      'store/sqlite/lane-heads.ts forgetIfEmpty guard: tx.get("select 1 from lanes where lane = ?", lane) === undefined',
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: held = 0",
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: lane = ?",
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: limits is null",
      "store/sqlite/lane-heads.ts forgetIfEmpty.waiting conjunct: status = 'pending'",
      "store/sqlite/lane-heads.ts leaveIfEmpty condition: ![...limits.linesOf(line.limits)].some(({ text }) => text === line.text)",
      "store/sqlite/lane-heads.ts leaveIfEmpty condition: !waitsIn(tx, line.lane)",
      "store/sqlite/outcomes.ts judged guard: step === undefined || step.outputSchema === null",
      "store/sqlite/outcomes.ts judged guard: task.step === null || task.undoes === 1",
      "store/sqlite/outcomes.ts judged operand: || step === undefined",
      "store/sqlite/outcomes.ts judged operand: || step.outputSchema === null",
      "store/sqlite/outcomes.ts judged operand: || task.step === null",
      "store/sqlite/outcomes.ts judged operand: || task.undoes === 1",
      "store/sqlite/outcomes.ts raiseEvidence operand: || !isStronger(shown, agent.evidence)",
      "store/sqlite/permits.ts limitBlock operand: || rate === null",
      "store/sqlite/permits.ts releasePermit guard: !limits.anyHeld",
      "store/sqlite/permits.ts releasePermit guard: key === undefined",
      "store/sqlite/permits.ts releasePermitsOf guard: !tx.context.limits.anyHeld",
      "store/sqlite/permits.ts takePermit guard: task.limits === null",
      "store/sqlite/process-store.ts pruneUses condition: pruned > 0",
      "store/sqlite/session-unit.ts SessionUnit.homeOf guard: known !== undefined",
      "store/sqlite/session-unit.ts SessionUnit.homeOf guard: this.row.forked_from === null",
      "store/sqlite/session-unit.ts SessionUnit.isDone guard: this.row.forked_from === null",
      "store/sqlite/slots.ts checkFree.taken conjunct: agent_id is null",
      "store/sqlite/slots.ts slotsOfTool conjunct: agent_id is null",
      'store/sqlite/slots.ts takeSlot condition: agent.kind === "tool"',
      "store/sqlite/step-tasks.ts givenParameters guard: row.forked_from === null",
      "store/sqlite/task-failure.ts backToLane condition: held === 0",
      "store/sqlite/task-row.ts isSessionPaused operand: && task.session_id !== null",
      "store/sqlite/agents.ts workflowOf guard: sessionId === null",
      "store/sqlite/report-evidence.ts settleFromReports guard: closed.length === 0",
      "store/sqlite/reports.ts forgetMessages conjunct: messages_since_idle > 0",
      'store/sqlite/reports.ts noteNaming guard: !isStronger("named", agent.evidence)',
      "store/sqlite/reports.ts report condition: incoming.taskId !== null",
      "store/sqlite/hints.ts CommitHints.forgetEnded guard: this.claimed.length === 0 || this.endedAttempts.length === 0",
      "store/sqlite/hints.ts CommitHints.forgetEnded operand: || this.claimed.length === 0",
      "store/sqlite/hints.ts CommitHints.forgetEnded operand: || this.endedAttempts.length === 0",
    ],
  },
  {
    reason: "a place that is taken modulo the length of a list is in the list",
    ids: ["store/sqlite/agent-index.ts AgentIndex.inTurn guard: agent === undefined"],
  },
  {
    reason: "an index that is stale is read anew as a whole before it answers again",
    ids: ["store/sqlite/agent-index.ts AgentIndex.reload guard: this.#stale"],
  },
  {
    reason: "whoever decides by a lease asks first whether the agent keeps one",
    ids: ["store/sqlite/agent-lease.ts noteAlive guard: !keepsLease(agent)"],
  },
  {
    reason: "only saves writes: a lease that is renewed at every sign of life ends 3 s later at most",
    ids: [
      "store/sqlite/agent-lease.ts noteAlive condition: agent.leaseUntil === null || agent.leaseUntil - tx.now < AGENT_LEASE - RENEW_AFTER",
    ],
  },
  {
    reason: "no lease counts as one that ended long ago",
    ids: ["store/sqlite/agent-lease.ts noteAlive operand: || agent.leaseUntil === null"],
  },
  {
    reason: "whoever calls this has found no agent of this id that is there, in the same transaction",
    ids: ["store/sqlite/agents.ts insertAgent.removed conjunct: removed_at is not null"],
  },
  {
    reason: "whoever calls this has found the agent in the same transaction, not removed",
    ids: [
      "store/sqlite/agents.ts removeAgent conjunct: removed_at is null",
      "store/sqlite/agents.ts restart guard: agent === undefined",
      "store/sqlite/agents.ts updateAgent conjunct: removed_at is null",
      "store/sqlite/deliveries.ts redirectMessages operand: || known === undefined",
    ],
  },
  {
    reason: "another condition beside it says the same of every row there is",
    ids: [
      "store/sqlite/agents.ts WAITING_IN conjunct: held = 0 (2)",
      "store/sqlite/agents.ts WAITING_IN conjunct: status = 'pending' (3)",
      "store/sqlite/ending.ts closeDoubt.sql conjunct: ended_at is null",
      "store/sqlite/gap.ts moveWatches conjunct: wake_for = 'silence'",
      "store/sqlite/gap.ts moveWatches.due conjunct: wake_at > ?",
      "store/sqlite/gap.ts moveWatches.due conjunct: wake_for = 'silence'",
      "store/sqlite/gap.ts moveWatches.moved conjunct: n = ?",
      "store/sqlite/sender.ts adopt.candidates conjunct: (t.agent_id is null or g.channel = 'push')",
      "store/sqlite/step-tasks.ts cancelStepTasks.open conjunct: status in ('pending', 'running')",
      "store/sqlite/step-tasks.ts cancelStepTasks.open conjunct: undoes = 0",
    ],
  },
  {
    reason: "the task was found by a query of the same transaction",
    ids: ["store/sqlite/agents.ts failAbandoned condition: task !== undefined"],
  },
  {
    reason:
      "whoever is in a lane has it on good grounds: agents that are called have an endpoint, and only those that come have none",
    ids: [
      "store/sqlite/claim.ts chooseDoer operand: && preferred !== null",
      'store/sqlite/claim.ts doubtOf guard: doer.kind === "tool"',
      'store/sqlite/claim.ts isFree operand: && doer.channel === "push"',
      "store/sqlite/claim.ts isFree operand: && doer.endpoint !== null",
    ],
  },
  {
    reason: "memory may know of smaller keys and of more lanes than wait; a look costs little",
    ids: [
      "store/sqlite/claim.ts leastInLine.row conjunct: held = 0",
      "store/sqlite/claim.ts leastInLine.row conjunct: lane = ?",
      "store/sqlite/claim.ts leastInLine.row conjunct: limits = ?",
      "store/sqlite/claim.ts leastInLine.row conjunct: status = 'pending'",
      "store/sqlite/claim.ts nextInLine condition: stored === undefined || stored.order_key > line.least",
      "store/sqlite/claim.ts nextInLine operand: || stored.order_key > line.least",
    ],
  },
  {
    reason: "whoever calls this has looked whether the session has somebody to call back",
    ids: ["store/sqlite/deliveries.ts enqueueSessionWebhook guard: row.callback_url === null"],
  },
  {
    reason: "a member without a value is a member that is left out",
    ids: ["store/sqlite/ending.ts endAttempt condition: end.evidence !== null"],
  },
  {
    reason: "a value that is not there is written as nothing, and nothing is read from it",
    ids: [
      "store/sqlite/ending.ts closeDoubt condition: doubt.approval_id !== null",
      "store/sqlite/ending.ts closeDoubt condition: doubt.helper_id !== null",
      "store/sqlite/session-advance.ts stepEvent condition: error !== undefined",
      "store/sqlite/session-advance.ts take condition: answer !== null",
      "store/sqlite/session-advance.ts writeSession condition: move.failedSteps.length > 0",
      "store/sqlite/session-advance.ts writeSession condition: move.failure !== null",
      "store/sqlite/session-end.ts finishSession condition: session.row.callback_url !== null",
      "store/sqlite/session-end.ts finishSession condition: session.row.parent_id !== null",
      "store/sqlite/task-row.ts attemptFacts guard: agent_id !== null",
    ],
  },
  {
    reason: "only saves a write",
    ids: [
      "store/sqlite/lanes.ts writeReason conjunct: lanes.reason <> excluded.reason or lanes.details <> excluded.details",
    ],
  },
  {
    reason: "only bounds memory",
    ids: [
      "store/sqlite/recent-rows.ts RecentRows.putSession condition: (row.result?.length ?? 0) <= MAX_TEXT",
      "store/sqlite/recent-rows.ts RecentRows.putSession condition: row.ended_at === null",
      "store/sqlite/recent-rows.ts RecentRows.putTask operand: || row.parameters.length > MAX_TEXT",
      "store/sqlite/recent-rows.ts put condition: oldest.done !== true",
      "store/sqlite/recent-rows.ts put condition: rows.size >= max",
    ],
  },
  {
    reason: "deleting what is not there changes nothing",
    ids: ["store/sqlite/recent-rows.ts take condition: row !== undefined"],
  },
  {
    reason: "only saves work",
    ids: ["store/sqlite/stored-task.ts updateOf condition: update === undefined"],
  },
  {
    reason: "only saves work that would change nothing",
    ids: ["store/sqlite/tx.ts Tx.writeEvents guard: this.#events.size === 0"],
  },
  {
    reason: "decides when or in which order a batch is written, not what",
    ids: [
      "store/sqlite/writer.ts Writer.close condition: this.#queue.length > 0",
      "store/sqlite/writer.ts Writer.flush condition: batch.length > 1",
      "store/sqlite/writer.ts Writer.flush guard: batch.length === 0",
      "store/sqlite/writer.ts Writer.schedule condition: this.#servedAtOnce",
      "store/sqlite/writer.ts Writer.schedule guard: this.#scheduled",
    ],
  },
  {
    reason:
      "health is derived from what is known of an agent: derived once more, or a moment before it is due, it is the same",
    ids: ["store/sqlite/circuits.ts setCircuit condition: agent.endpoint === endpoint"],
  },
  {
    reason: "only who is called at an endpoint has a circuit",
    ids: ["store/sqlite/circuits.ts takeProbe operand: || agent.endpoint === null"],
  },
  {
    reason:
      "messages to an agent are written with the place that it has, and follow it from there; the condition leads to the index",
    ids: ["store/sqlite/deliveries.ts redirectMessages.waiting conjunct: endpoint = ?"],
  },
  {
    reason: "each send of an attempt has a number of its own, whichever process makes it",
    ids: ["store/sqlite/ending.ts isSender operand: && attempt.epoch === sender.epoch"],
  },
  {
    reason: "an attempt that has ended does not wake up, whatever is written of it: its row has the time of its task",
    ids: [
      "store/sqlite/expiry.ts expireAttempt condition: isOpen(attempt)",
      'store/sqlite/expiry.ts expireTask operand: && task.status === "running"',
    ],
  },
  {
    reason: "a running task has an open attempt, and that has a time at which it wakes up",
    ids: [
      "store/sqlite/expiry.ts expireAttempt operand: || attempt.wake_at === null",
      "store/sqlite/expiry.ts expireTask operand: && task.last !== null",
    ],
  },
  {
    reason: "the time until which a slot drains is written once",
    ids: ["store/sqlite/expiry.ts expireSlot.due conjunct: until <= ?"],
  },
  {
    reason: "of the keys that there are it is the first, and what stands under the others is no number",
    ids: ["store/sqlite/gap.ts JUDGED_AT conjunct: key = 'judged_at'"],
  },
  {
    reason:
      "no timeout is before the wake-up; and of a task that does not run the last attempt has ended, whose times nobody reads",
    ids: [
      "store/sqlite/gap.ts markJudged conjunct: wake_at <= ?",
      "store/sqlite/gap.ts markJudged conjunct: status = 'running'",
    ],
  },
  {
    reason: "without its task no attempt is found",
    ids: [
      "store/sqlite/outcomes.ts observe operand: || task === undefined",
      "store/sqlite/sender.ts undelivered operand: || task === undefined",
    ],
  },
  {
    reason: "one process has the file, so that nobody reads the lease of another",
    ids: [
      "store/sqlite/process-store.ts processStore.beat conjunct: epoch = ?",
      "store/sqlite/process-store.ts processStore.resign conjunct: epoch = ?",
    ],
  },
  {
    reason:
      "nothing is not among the statuses of open steps, so that a step without a row of its own counts as one that has ended",
    ids: ["store/sqlite/session-advance.ts isAfterEnd operand: || before === null"],
  },
  {
    reason: "a watch that has just begun anew is not due: judged at once, it waits for the same moment",
    ids: ["store/sqlite/expiry.ts expireAttempt condition: resent === null"],
  },
  {
    reason: "no policy can ask that what was rejected is tried again",
    ids: ['domain/tasks/retry.ts decideRetry.retryable operand: && outcome.reason !== "rejected"'],
  },
  {
    reason: "memory that is forgotten is read again",
    ids: ["store/sqlite/tx.ts Tx.undo condition: this.#touched"],
  },
  {
    reason:
      "messages are counted to know what bare states could be about, and nobody asks about an agent that has shown more than those; it never shows less again",
    ids: [
      'store/sqlite/claim.ts countMessage operand: || agent.evidence === "explicit"',
      'store/sqlite/claim.ts countMessage operand: || agent.evidence === "named"',
      'store/sqlite/reports.ts becomeIdle operand: && agent.evidence !== "explicit"',
    ],
  },
  {
    reason: "only for the types: evidence that there is none of is not stronger than any",
    ids: [
      "store/sqlite/outcomes.ts settle operand: && outcome.evidence !== null",
      "store/sqlite/outcomes.ts settleOpen operand: && outcome.evidence !== null",
    ],
  },
  {
    reason: "a report so much older than the dispatch is neither proof itself nor compared with one that is",
    ids: ["store/sqlite/report-evidence.ts recentReports.rows conjunct: received_at >= ?"],
  },
  {
    reason: "only for the types: a text, a number or a list has no member of the names that are looked for",
    ids: [
      "store/sqlite/report-evidence.ts member operand: || Array.isArray(value)",
      'store/sqlite/report-evidence.ts member operand: || typeof value !== "object"',
    ],
  },
  {
    reason:
      "each label that the session has is deleted, one after the other; their keys and values lead into the index",
    ids: [
      "store/sqlite/sessions.ts labelSession conjunct: key = ?",
      "store/sqlite/sessions.ts labelSession conjunct: value = ?",
    ],
  },
  {
    reason: "only for the types: what was never sent has no reason, so it is not lost",
    ids: ['store/sqlite/task-failure.ts failTask.lost operand: && outcome.type === "failed"'],
  },
  {
    reason: "only saves a write: the process itself marks each second that it judges",
    ids: ["store/sqlite/task-store.ts attemptStore.expire condition: isDeaf(db, clock.now())"],
  },
  {
    reason: "a savepoint that nobody goes back to ends with its batch",
    ids: ["store/sqlite/tx.ts Tx.begin condition: this.#savepoint"],
  },
];
