import type { ExemptGroup } from "./exempt-group.ts";

/** Neither judge does the thing yet, or looks at it: work to do. */
export const UNSEEN: readonly ExemptGroup[] = [
  {
    reason: "what AgentKit tells of an agent that it knows differs by version and life only",
    ids: ["store/sqlite/agents.ts sameAgent operand: && known.metadata === text(agent.metadata)"],
  },
  {
    reason: "nobody judges which states of an agent are called ambiguous",
    ids: ["store/sqlite/agents.ts restart conjunct: id = ?"],
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
    reason: "nobody compares results with what the agents reported",
    ids: [
      "store/sqlite/report-evidence.ts member operand: || Array.isArray(value)",
      'store/sqlite/report-evidence.ts member operand: || typeof value !== "object"',
    ],
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
