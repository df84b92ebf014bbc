import type { ExemptGroup } from "./exempt-group.ts";

/** Agents and deliveries: nobody could see it. */
export const AGENTS_EQUIVALENT: readonly ExemptGroup[] = [
  {
    reason: "a place that is taken modulo the length of a list is in the list",
    ids: ["store/sqlite/agent-index.ts AgentIndex.inTurn guard: agent === undefined"],
  },
  {
    reason: "an index that is stale is read anew as a whole before it answers again",
    ids: ["store/sqlite/agent-index.ts AgentIndex.reload guard: this.#stale"],
  },
  {
    reason: "a circuit that is open has both of its times, as an invariant of the rows says",
    ids: [],
  },
  {
    reason: "whoever decides by a lease asks first whether the agent keeps one",
    ids: ["store/sqlite/agent-lease.ts noteAlive guard: !keepsLease(agent)"],
  },
  {
    reason: "no lease counts as one that ended long ago",
    ids: ["store/sqlite/agent-lease.ts noteAlive operand: || agent.leaseUntil === null"],
  },
  {
    reason: "only saves writes: a lease that is renewed at every sign of life ends 3 s later at most",
    ids: [
      "store/sqlite/agent-lease.ts noteAlive condition: agent.leaseUntil === null || agent.leaseUntil - tx.now < AGENT_LEASE - RENEW_AFTER",
    ],
  },
  {
    reason: "whoever calls this has found the agent in the same transaction, not removed",
    ids: [
      "store/sqlite/agents.ts updateAgent conjunct: removed_at is null",
      "store/sqlite/agents.ts restart guard: agent === undefined",
      "store/sqlite/agents.ts removeAgent conjunct: removed_at is null",
      "store/sqlite/deliveries.ts redirectMessages operand: || known === undefined",
    ],
  },
  {
    reason: "whoever calls this has found no agent of this id that is there, in the same transaction",
    ids: ["store/sqlite/agents.ts insertAgent.removed conjunct: removed_at is not null"],
  },
  {
    reason: "the task was found by a query of the same transaction",
    ids: ["store/sqlite/agents.ts failAbandoned condition: task !== undefined"],
  },
  {
    reason: "whoever calls this has looked whether the session has somebody to call back",
    ids: ["store/sqlite/deliveries.ts enqueueSessionWebhook guard: row.callback_url === null"],
  },
];

/** Agents and deliveries: something else catches it. */
export const AGENTS_GUARDED: readonly ExemptGroup[] = [
  {
    reason: "counts that are read in the middle of a transition may be too low, but the free slots are not",
    ids: ["store/sqlite/agent-index.ts AgentIndex.fresh guard: !this.#stale"],
  },
  {
    reason: "a hint too many costs a look",
    ids: ["store/sqlite/agents.ts wake condition: waitsIn(tx, lane)"],
  },
  {
    reason: "what is sent twice at once is told apart by its id, and its end is written once",
    ids: ["store/sqlite/deliveries.ts DUE_DELIVERIES conjunct: d.id not in (select value from json_each(?))"],
  },
];

/** Agents and deliveries: the simulated world does not do the thing yet, or nobody there judges it. */
export const AGENTS_UNSEEN: readonly ExemptGroup[] = [
  {
    reason: "agents that keep a lease give more signs of life than outcomes: they poll, or say that they are there",
    ids: ["store/sqlite/agent-lease.ts noteAlive operand: || agent.leaseUntil - tx.now < AGENT_LEASE - RENEW_AFTER"],
  },
  {
    reason: "no agent of the simulated world proves by its endpoint who it is",
    ids: [
      'store/sqlite/agents.ts registerAgent.same operand: || agent.replace === "same-endpoint" && known.endpoint === agent.endpoint',
    ],
  },
  {
    reason: "an agent that AgentKit tells of always has a time of registration",
    ids: ["store/sqlite/agents.ts announceAgent.restarted operand: && agent.registrationTime !== null"],
  },
  {
    reason: "what AgentKit tells of an agent that it knows differs by version and life only",
    ids: [
      "store/sqlite/agents.ts sameAgent operand: && known.capabilities === JSON.stringify(agent.capabilities)",
      "store/sqlite/agents.ts sameAgent operand: && known.endpoint === agent.endpoint",
      "store/sqlite/agents.ts sameAgent operand: && known.metadata === text(agent.metadata)",
      "store/sqlite/agents.ts sameAgent operand: && known.name === agent.name",
    ],
  },
  {
    reason: "nobody compares what is stored of an agent with what AgentKit told of it",
    ids: [
      "store/sqlite/agents.ts announceAgent operand: && sameAgent(known, agent)",
      "store/sqlite/agents.ts sameAgent operand: && known.version === agent.version",
    ],
  },
  {
    reason: "no agent both registers itself and is told of, and news of it are out of date by their time or not at all",
    ids: [
      "store/sqlite/agents.ts announceAgent conjunct: announced_at is not null",
      "store/sqlite/agents.ts announceAgent conjunct: id = ?",
      "store/sqlite/agents.ts lastAnnounced conjunct: id = ?",
      "store/sqlite/agents.ts removeAgent operand: && announcedAt !== lastAnnounced(tx, agentId)",
    ],
  },
  {
    reason: "nobody judges which states of an agent are called ambiguous",
    ids: [
      'store/sqlite/deliveries.ts enqueueDelivery.isMessage operand: || delivery.kind === "message"',
      'store/sqlite/deliveries.ts enqueueDelivery.isMessage operand: || delivery.kind === "task"',
      "store/sqlite/agents.ts restart conjunct: id = ?",
    ],
  },
  {
    reason: "agents of the simulated world have no keys",
    ids: [
      "store/sqlite/agents.ts removeAgent conjunct: agent_id = ?",
      "store/sqlite/agents.ts removeAgent conjunct: revoked_at is null",
    ],
  },
  {
    reason: "nobody compares what a message says of its workflow",
    ids: [
      "store/sqlite/agents.ts workflowOf conjunct: id = ?",
      "store/sqlite/agents.ts workflowOf guard: sessionId === null",
    ],
  },
  {
    reason: "no agent of the simulated world moves, and each has its own place",
    ids: [
      "store/sqlite/deliveries.ts redirectMessages condition: url === null",
      "store/sqlite/deliveries.ts redirectMessages operand: || known.endpoint === null",
      "store/sqlite/deliveries.ts redirectMessages operand: || known.endpoint === url",
      "store/sqlite/deliveries.ts redirectMessages.known conjunct: id = ?",
      "store/sqlite/deliveries.ts redirectMessages.waiting conjunct: agent_id = ?",
      "store/sqlite/deliveries.ts redirectMessages.waiting conjunct: endpoint = ?",
      "store/sqlite/deliveries.ts redirectMessages.waiting conjunct: kind in ('message', 'task')",
    ],
  },
  {
    reason: "in six seeds no agent that AgentKit tells of anew is at anything",
    ids: [
      "store/sqlite/agents.ts announceAgent condition: restarted",
      "store/sqlite/agents.ts announceAgent operand: && !restarted",
    ],
  },
  {
    reason: "no delivery of the simulated world is sent by two processes at once",
    ids: [
      "store/sqlite/deliveries.ts deliveryArrived operand: && written === 1",
      "store/sqlite/deliveries.ts deliveryArrived.written conjunct: attempts = ?",
      "store/sqlite/deliveries.ts deliveryArrived.written conjunct: status = 'pending'",
      "store/sqlite/deliveries.ts deliveryFailed operand: && written === 1",
      "store/sqlite/deliveries.ts deliveryFailed.written conjunct: attempts = ?",
      "store/sqlite/deliveries.ts deliveryFailed.written conjunct: status = 'pending'",
    ],
  },
  {
    reason: "nobody judges when a delivery is tried again",
    ids: ["store/sqlite/deliveries.ts deliveryFailed.written conjunct: id = ?"],
  },
  {
    reason: "the other half of a platform that runs in two is not simulated",
    ids: [
      "store/sqlite/deliveries.ts deliveryFailed condition: written === 1 && follow !== undefined",
      "store/sqlite/deliveries.ts deliveryFailed operand: && follow !== undefined",
    ],
  },
  {
    reason: "nobody judges that one conversation does not wait for another",
    ids: [
      "store/sqlite/deliveries.ts BEHIND conjunct: e.aggregate = d.aggregate",
      "store/sqlite/deliveries.ts BEHIND conjunct: e.endpoint = d.endpoint",
    ],
  },
  {
    reason: "one sender sends all kinds of deliveries that there are in the simulated world",
    ids: ["store/sqlite/deliveries.ts DUE_DELIVERIES conjunct: d.kind in (select value from json_each(?))"],
  },
];
