import type {
  AgentView,
  ApprovalLinkView,
  ApprovalView,
  Assignment,
  CancellationView,
  DeliveryView,
  EventView,
  FireView,
  KeyView,
  LimitView,
  ScheduleView,
  SessionDetailView,
  SessionView,
  TaskView,
  ToolView,
  WorkflowView,
} from "@opspawn/contract";

const AT = "2026-05-01T12:00:00.000000Z";
const SESSION_ID = "01999999-0000-7000-8000-000000000001";
const TASK_ID = "task_01999999-0000-7000-8000-000000000002";
const APPROVAL_ID = "apr_01999999-0000-7000-8000-000000000004";
const AGENT_ID = "01999999-0000-7000-8000-000000000003";

export function sampleSession(change: Partial<SessionView> = {}): SessionView {
  return {
    sessionId: SESSION_ID,
    workflowId: "review-article",
    workflowVersion: "1.0",
    agentId: null,
    status: "running",
    labels: { team: "docs" },
    result: null,
    error: null,
    failedSteps: [],
    compensation: null,
    parentSessionId: null,
    forkedFrom: null,
    priority: 0,
    createdAt: AT,
    updatedAt: AT,
    endedAt: null,
    blocked: null,
    ...change,
  };
}

export function sampleSessionDetail(change: Partial<SessionDetailView> = {}): SessionDetailView {
  const step: SessionDetailView["steps"][number] = {
    stepId: "fetch",
    name: "Fetch the page",
    status: "running",
    taskId: TASK_ID,
    agentId: AGENT_ID,
    attempts: 1,
    startedAt: AT,
    endedAt: null,
    error: null,
    items: null,
    iteration: 0,
    waitsUntil: null,
    signal: null,
    childSessionId: null,
    approvalId: null,
    fromSessionId: null,
  };
  return { ...sampleSession(), input: { url: "https://example.org" }, steps: [step], cancellations: [], ...change };
}

export function sampleCancellation(change: Partial<CancellationView> = {}): CancellationView {
  return {
    cancellationId: "can_01890a5d-ac96-774b-bcce-b302099a8070",
    sessionId: SESSION_ID,
    stepId: "fetch",
    taskId: TASK_ID,
    attempt: 1,
    agentId: AGENT_ID,
    agentName: "fetcher",
    tool: null,
    channel: "message",
    reason: "Cancelled by request.",
    stage: "delivered",
    isConfirmed: false,
    requestedAt: AT,
    deliveredAt: AT,
    acknowledgedAt: null,
    endedAt: null,
    stageDeadline: "2026-05-01T12:00:15.000000Z",
    stuckAt: null,
    evidence: null,
    note: null,
    ...change,
  };
}

export function sampleTask(change: Partial<TaskView> = {}): TaskView {
  return {
    taskId: TASK_ID,
    name: "Fetch the page",
    sessionId: SESSION_ID,
    stepId: "fetch",
    status: "pending",
    requirement: { agentId: null, agentName: null, capability: "web.fetch", tool: null },
    fellBack: false,
    agentId: null,
    attempts: { used: 0, max: 4 },
    readyAt: AT,
    createdAt: AT,
    startedAt: null,
    endedAt: null,
    deadline: "2026-05-02T12:00:00.000000Z",
    result: null,
    error: null,
    deadLetter: false,
    redriveOf: null,
    limits: null,
    blocked: { reason: "no_free_agent", message: "Every agent that can do this is busy.", since: AT },
    ...change,
  };
}

export function sampleLimit(change: Partial<LimitView> = {}): LimitView {
  const counts = { held: 5, draining: 1, waiting: 12 };
  return { kind: "concurrency", key: "tenant-7", limit: 5, per: null, ...counts, nextPermitAt: null, ...change };
}

export function sampleAgent(change: Partial<AgentView> = {}): AgentView {
  return {
    agentId: AGENT_ID,
    agentName: "fetcher",
    capabilities: ["web.fetch"],
    version: "1.0",
    metadata: null,
    channel: "push",
    contactEndpoint: "http://127.0.0.1:9001/tasks",
    maxConcurrency: 1,
    heartbeat: false,
    state: "idle",
    stateDetails: null,
    stateReportedAt: AT,
    health: "ready",
    evidence: "explicit",
    slots: { total: 1, held: 0, draining: 0 },
    blocked: null,
    registeredAt: AT,
    ...change,
  };
}

export function sampleWorkflow(change: Partial<WorkflowView> = {}): WorkflowView {
  const identity = { id: "review-article", version: "1.0", name: "Review an article" };
  return { ...identity, description: null, steps: 3, appliedAt: AT, ...change };
}

export function sampleFire(change: Partial<FireView> = {}): FireView {
  return {
    sequence: 7,
    kind: "series",
    dueAt: AT,
    lastDueAt: AT,
    count: 1,
    outcome: "started",
    reason: null,
    error: null,
    sessionId: SESSION_ID,
    sessionStatus: "running",
    decidedAt: AT,
    startedAt: AT,
    ...change,
  };
}

export function sampleSchedule(change: Partial<ScheduleView> = {}): ScheduleView {
  return {
    scheduleId: "sch_01999999-0000-7000-8000-000000000004",
    name: "review-nightly",
    workflowId: "review-article",
    version: null,
    input: { url: "https://example.org" },
    agentId: null,
    labels: { team: "docs" },
    cron: "30 2 * * *",
    timeZone: "Europe/Berlin",
    every: null,
    anchor: null,
    startAt: null,
    endAt: null,
    overlap: "skip",
    catchUp: "one",
    catchUpWindow: "1h",
    status: "active",
    note: null,
    nextAt: "2026-05-02T00:30:00.000000Z",
    queued: 0,
    counts: { started: 7, skipped: 0, failed: 0, missed: 0 },
    consecutiveFailures: 0,
    lastFire: sampleFire(),
    blocked: null,
    createdAt: AT,
    updatedAt: AT,
    ...change,
  };
}

export function sampleTool(change: Partial<ToolView> = {}): ToolView {
  const endpoint = "http://127.0.0.1:9002/post";
  return {
    name: "slack.post",
    description: "Posts",
    parameters: {},
    type: "external",
    endpoint,
    maxConcurrency: 10,
    registeredAt: AT,
    ...change,
  };
}

export function sampleKey(change: Partial<KeyView> = {}): KeyView {
  const identity = { keyId: "key_1", name: "ci", scopes: ["sessions:read" as const], agentId: null };
  return { ...identity, createdAt: AT, expiresAt: null, revokedAt: null, ...change };
}

export function sampleDelivery(change: Partial<DeliveryView> = {}): DeliveryView {
  return {
    deliveryId: "dlv_1",
    kind: "webhook",
    url: "http://127.0.0.1:9003/hook",
    agentId: null,
    sessionId: SESSION_ID,
    status: "pending",
    attempts: 2,
    createdAt: AT,
    nextAttemptAt: AT,
    endedAt: null,
    lastError: "503",
    blocked: null,
    ...change,
  };
}

export function sampleApproval(change: Partial<ApprovalView> = {}): ApprovalView {
  return {
    approvalId: APPROVAL_ID,
    sessionId: SESSION_ID,
    workflowId: "review-article",
    stepId: "publish-ok",
    status: "pending",
    message: "Publish the review?",
    details: { title: "A title" },
    subjectHash: "ab".repeat(32),
    approvers: null,
    requestedAt: AT,
    expiresAt: "2026-05-02T12:00:00.000000Z",
    reminders: 0,
    nextReminderAt: null,
    endedAt: null,
    decidedBy: null,
    comment: null,
    blocked: { reason: "waiting_for_decision", message: "Somebody has to approve or reject it.", since: AT },
    ...change,
  };
}

export function sampleApprovalLink(change: Partial<ApprovalLinkView> = {}): ApprovalLinkView {
  return {
    linkId: "lnk_1",
    approvalId: APPROVAL_ID,
    decision: "any",
    for: "carol",
    url: "http://127.0.0.1:8000/v1/opscore/approval-links/lnk_1?token=secret",
    expiresAt: "2026-05-02T12:00:00.000000Z",
    ...change,
  };
}

export function sampleEvent(change: Partial<EventView> = {}): EventView {
  return { position: 1, stream: SESSION_ID, sequence: 1, type: "session.started", at: AT, data: {}, ...change };
}

export function sampleAssignment(change: Partial<Assignment["opspawn"]> = {}): Assignment {
  const opspawn = {
    taskId: TASK_ID,
    attempt: 1,
    token: "1.aaaa",
    resultUrl: `/v1/opscore/tasks/${TASK_ID}/result`,
    capability: null,
  };
  return {
    senderId: "opscore",
    timestamp: AT,
    messageType: "task",
    payload: { url: "https://example.org" },
    sessionContext: null,
    task_name: "Fetch the page",
    opscore_session_id: SESSION_ID,
    opscore_task_id: TASK_ID,
    opspawn: { ...opspawn, deadline: "2026-05-01T12:02:00.000000Z", capability: null, ...change },
  };
}
