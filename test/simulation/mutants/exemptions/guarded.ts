import type { ExemptGroup } from "./exempt-group.ts";

/** Something else catches it. */
export const GUARDED: readonly ExemptGroup[] = [
  {
    reason: "who calls has looked before, in the same transition; this says so to the reader, and to the next caller",
    ids: [
      'domain/workflows/move.ts Move.admit guard: this.#state(index).status !== "running"',
      "domain/workflows/move.ts Move.beginUndoing guard: this.#undoing === null",
      'domain/workflows/move.ts Move.cancelOpen guard: !this.#end(index, "cancelled")',
      "domain/workflows/move.ts Move.complete guard: !this.#isAtWork(index)",
      'domain/workflows/move.ts Move.completeStep guard: !this.#end(index, "completed")',
      "domain/workflows/move.ts Move.exceedDeadline guard: this.#undoing !== null",
      "domain/workflows/move.ts Move.fail guard: !this.#isAtWork(index)",
      "domain/workflows/move.ts Move.failForGood guard: !this.#end(index, failedStatus(error), error)",
      "domain/workflows/move.ts Move.failStep condition: this.#end(index, failedStatus(error), error)",
      "domain/workflows/move.ts Move.isAtWork guard: !this.#isOpen(index)",
      "domain/workflows/move.ts Move.judge guard: !this.#isAtWork(index) || step.repeat === null",
      "domain/workflows/move.ts Move.judge operand: || !this.#isAtWork(index)",
      "domain/workflows/move.ts Move.judge operand: || step.repeat === null",
      'domain/workflows/move.ts Move.leave guard: !this.#end(index, "failed", error)',
      'domain/workflows/move.ts Move.listItems guard: status !== "running" || items !== undefined',
      "domain/workflows/move.ts Move.listItems operand: || items !== undefined",
      'domain/workflows/move.ts Move.listItems operand: || status !== "running"',
      "domain/workflows/move.ts Move.noteUndone guard: this.#undoing === null",
      "domain/workflows/move.ts Move.pause condition: !paused || this.#undoing === null",
      "domain/workflows/move.ts Move.retell condition: kept !== undefined",
      'domain/workflows/move.ts Move.skip guard: !this.#end(index, "skipped")',
      "domain/workflows/move.ts Move.step guard: step === undefined",
      "store/sqlite/agent-index.ts AgentIndex.reloadTool condition: row !== undefined",
      "store/sqlite/agent-index.ts circuitOf operand: || row.next_probe_at === null",
      "store/sqlite/agent-index.ts circuitOf operand: || row.opened_at === null",
      "store/sqlite/agents.ts insertAgent condition: entry !== undefined",
      "store/sqlite/agents.ts refreshHealth condition: agent !== undefined",
      "store/sqlite/agents.ts trialFor operand: || agent.quarantine === null",
      "store/sqlite/agents.ts trialFor operand: || room <= 0",
      'store/sqlite/claim.ts assign guard: task.status !== "pending" || task.held === 1',
      "store/sqlite/claim.ts assign operand: || task.held === 1",
      'store/sqlite/claim.ts assign operand: || task.status !== "pending"',
      'store/sqlite/claim.ts assign.isWatched operand: && agent.kind === "agent"',
      "store/sqlite/dispatch.ts claimLanes guard: assign(tx, task, agent) === null",
      "store/sqlite/ending.ts closeDoubt guard: doubt === undefined",
      "store/sqlite/expiry.ts expireTask guard: task.held === IN_DOUBT",
      "store/sqlite/outcomes.ts judged guard: !(error instanceof OpspawnError)",
      "store/sqlite/outcomes.ts observe operand: && task !== undefined",
      'store/sqlite/outcomes.ts raiseEvidence operand: || agent.kind === "tool"',
      'store/sqlite/sender.ts acknowledge guard: agent?.kind !== "agent"',
      'store/sqlite/sender.ts broken condition: agent.kind === "agent"',
      "store/sqlite/session-advance.ts writeStep guard: step === undefined",
      'store/sqlite/session-advance.ts writeStep operand: || status === "completed"',
      "store/sqlite/task-store.ts extendLease.isAgent operand: && !resend",
      "store/sqlite/task-store.ts extendLease.isAgent operand: && agent !== undefined",
    ],
  },
  {
    reason: "a hint too many costs a look",
    ids: ["store/sqlite/agents.ts wake condition: waitsIn(tx, lane)"],
  },
  {
    reason: "cannot happen: whoever calls this has looked at the status in the same transaction",
    ids: [
      'store/sqlite/ending.ts cancelTask condition: task.status === "running"',
      "store/sqlite/ending.ts cancelTask guard: task === undefined",
      "store/sqlite/ending.ts endAttempt guard: !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt guard: attempt === null || !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt operand: || !isOpen(attempt)",
      "store/sqlite/ending.ts endLastAttempt operand: || attempt === null",
      'store/sqlite/outcomes.ts completeTask guard: task.status !== "running"',
      "store/sqlite/task-failure.ts backToLane guard: task.ended_at !== null",
      "store/sqlite/task-failure.ts endTask guard: task.ended_at !== null",
      "store/sqlite/task-failure.ts fallBack guard: policy.fallback === null",
    ],
  },
  {
    reason: "proposes only: whatever is found is judged again in a transition of its own",
    ids: [
      "store/sqlite/expiry.ts findDue.silent operand: && hasLease(db, agent)",
      "store/sqlite/expiry.ts hasLease.held conjunct: (? = 'pull' or attempt_status = 'acknowledged')",
      "store/sqlite/expiry.ts hasLease.held conjunct: agent_id = ?",
      "store/sqlite/expiry.ts hasLease.held conjunct: status = 'running'",
      "store/sqlite/expiry.ts isSilent operand: && agent.held > agent.draining",
    ],
  },
  {
    reason: "the rows are as memory has them; it only saves a read",
    ids: ["store/sqlite/held-tasks.ts HeldTasks.load guard: known !== undefined"],
  },
  {
    reason: "a second write of the same values, or a check of what cannot happen",
    ids: [
      "store/sqlite/held-tasks.ts HeldTasks.changed operand: || this.#new.has(row)",
      "store/sqlite/held-tasks.ts HeldTasks.write guard: db.run(sql, ...values) !== 1",
    ],
  },
  {
    reason: "a hint too many costs a look, one too few is made up for by the loops that poll",
    ids: [
      "store/sqlite/hints.ts CommitHints.any operand: || this.claimed.length > 0",
      "store/sqlite/writer.ts mergedHints.kept operand: && tx.hints.any",
    ],
  },
  {
    reason: "an attempt that has ended, or that of another agent, is refused where it would be settled",
    ids: ["store/sqlite/report-evidence.ts openAttempts guard: agent.held === agent.draining"],
  },
  {
    reason: "the attempt was looked at before by whoever calls this, in the same transaction",
    ids: [
      "store/sqlite/sender.ts acknowledge operand: || attempt === undefined",
      "store/sqlite/sender.ts acknowledge operand: || task === undefined",
      "store/sqlite/sender.ts broken operand: || task === undefined",
      "store/sqlite/sender.ts resend operand: || attempt === null",
      "store/sqlite/sender.ts sentBy operand: || attempt === undefined",
      "store/sqlite/sender.ts sentBy operand: || task === undefined",
    ],
  },
  {
    reason: "what is found is judged again before it is sent; what is sent too often is told apart by its sender",
    ids: [
      "store/sqlite/sender.ts adopt.candidates conjunct: t.attempt_status in ('created', 'dispatched')",
      "store/sqlite/sender.ts adopt.candidates conjunct: t.status = 'running'",
    ],
  },
  {
    reason: "only saves a read or a write of what is the same",
    ids: [
      "store/sqlite/session-unit.ts SessionUnit.change operand: && !Object.keys(change).every((column) => isCount.has(column))",
      'store/sqlite/session-unit.ts SessionUnit.flush condition: this.#state !== "stored"',
    ],
  },
  {
    reason: "frees or wakes what is not there, which changes nothing",
    ids: [
      "store/sqlite/slots.ts releaseDrained guard: agent === undefined || agent.draining === 0",
      "store/sqlite/slots.ts releaseDrained operand: || agent.draining === 0",
      "store/sqlite/slots.ts releaseDraining guard: agent.draining === 0 || max === 0",
      "store/sqlite/slots.ts releaseDraining operand: || agent.draining === 0",
      "store/sqlite/slots.ts releaseDraining operand: || max === 0",
      "store/sqlite/slots.ts takeSlot guard: slot === undefined",
      "store/sqlite/slots.ts wakeLanes condition: waitsIn(tx, lane)",
    ],
  },
  {
    reason: "memory has the circuits as the rows have them, which each audit compares, and one process has the file",
    ids: [
      "store/sqlite/circuits.ts takeProbe guard: taken !== 1",
      "store/sqlite/circuits.ts takeProbe.taken conjunct: next_probe_at = ?",
    ],
  },
  {
    reason:
      "a session that fails cancels what waits, and an approval is withdrawn with its step: nobody decides on it after that",
    ids: [
      'domain/workflows/move.ts Move.refuse guard: this.#state(index).status !== "waiting"',
      "domain/workflows/move.ts Move.refuse operand: || this.#failure !== null",
    ],
  },
  {
    reason: "a session that has ended, or undoes what it did, takes no deadline; and no deadline moves",
    ids: [
      "store/sqlite/expiry.ts expireSession operand: || session.row.wake_at === null",
      "store/sqlite/expiry.ts expireSession operand: || session.row.wake_at > tx.now",
    ],
  },
  {
    reason: "what is due has not ended, and only what ended in an earlier commit is ever forgotten",
    ids: ["store/sqlite/expiry.ts expireTask guard: task === undefined"],
  },
  {
    reason:
      "what was not delivered has announced nothing, and what an earlier attempt left open was settled before this one began, or is to be done again",
    ids: ['store/sqlite/task-failure.ts failTask operand: && outcome.type === "failed"'],
  },
  {
    reason: "the attempts of an agent end with it",
    ids: ["store/sqlite/task-store.ts extendLease operand: || agent === undefined"],
  },
  {
    reason: "the beat marks as often: who marks each time it judges only writes more",
    ids: ["store/sqlite/gap.ts isDeaf operand: && now - Number(row.value) > MAX_SILENCE"],
  },
  {
    reason: "a connection that is closed refuses in the same words",
    ids: ["store/sqlite/writer.ts Writer.submit guard: this.#closed"],
  },
  {
    reason: "cannot happen: a savepoint is taken back without the batch, and whatever is thrown here is an Error",
    ids: [
      "store/sqlite/writer.ts Writer.commit guard: apart === null",
      "store/sqlite/writer.ts isFull operand: && error instanceof Error",
    ],
  },
  {
    reason:
      "each send to an agent whose bare states count was counted as a message, and the count begins anew only when it holds nothing else; so where one was counted, one attempt is open, was sent once, and holds the one slot",
    ids: [
      "store/sqlite/report-evidence.ts settleBare operand: && agent.held === 1",
      "store/sqlite/report-evidence.ts settleBare operand: || attempt.sends !== 1",
      "store/sqlite/report-evidence.ts settleBare operand: || proof.open !== 1",
    ],
  },
  {
    reason: "only the last attempt of a task is ever open, and whoever changes one has looked whether it is",
    ids: ["store/sqlite/task-row.ts changeAttempt guard: task.last !== attempt"],
  },
];
