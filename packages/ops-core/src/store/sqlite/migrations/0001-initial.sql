-- Times are microseconds since the epoch, UTC. JSON is text as received. Hot tables are narrow; ids sort by time.
-- Tables whose rows may exceed a few hundred bytes have a rowid: without one, a row above a quarter of a page spills into
-- pages of its own, and appending splits pages in halves. Checks name their words with `or`: an `in` list would be built
-- anew by each statement, which made a task's insert and update half as dear again.

create table meta (
  key text primary key,
  value text not null
) strict, without rowid;

-- One row per start of a process. Push attempts point at the epoch of the process that sends them.
create table instances (
  epoch integer primary key,
  started_at integer not null,
  lease_until integer not null,
  ended_at integer
) strict;

create table agents (
  id text primary key,
  name text not null,
  version text not null,
  capabilities text not null,
  endpoint text,
  metadata text,
  channel text not null check (channel in ('push', 'pull')),
  max_concurrency integer not null,
  heartbeat integer not null,
  timeout integer,
  registered_at integer not null,
  registration_time text,
  -- When AgentKit elsewhere last told of it; null for an agent that registered here.
  announced_at integer,
  state text not null,
  state_details text,
  state_timestamp text not null,
  state_received_at integer not null,
  -- What it said last by its own clock: this decides what it is given, `state` is what came last.
  own_state text not null,
  own_state_at integer,
  own_state_received_at integer not null,
  -- When `active` or `error` stops keeping the agent from work.
  state_lapses_at integer not null,
  evidence text not null default 'none' check (
    evidence = 'none' or evidence = 'bare' or evidence = 'named' or evidence = 'explicit'
  ),
  -- Messages of any kind sent since the agent was last known to be idle with nothing outstanding.
  messages_since_idle integer not null default 0,
  -- Pull agents, and push agents that heartbeat: until when their last sign of life counts.
  lease_until integer,
  -- Times the lease was moved over a gap since it was last renewed.
  lease_moved integer not null default 0,
  reports integer not null default 0,
  event_sequence integer not null default 0,
  removed_at integer
) strict;
-- Not unique: notifications bring their own ids, and only registrations refuse a known name.
create index agents_by_name on agents (name) where removed_at is null;

create table agent_reports (
  agent_id text not null,
  sequence integer not null,
  state text not null,
  details text,
  -- The task that the details name.
  task_id text,
  timestamp text not null,
  reported_at integer,
  received_at integer not null,
  primary key (agent_id, sequence)
) strict;

-- Slots that a running task does not hold any more, but that are not known to be free either: the work was given up,
-- and the agent may still be at it.
create table draining_slots (
  task_id text not null,
  n integer not null,
  agent_id text not null,
  slot integer not null,
  until integer not null,
  primary key (task_id, n)
) strict, without rowid;
create unique index draining_slots_by_agent on draining_slots (agent_id, slot);

create table circuits (
  endpoint text primary key,
  failures integer not null,
  opened_at integer,
  next_probe_at integer
) strict, without rowid;

create table definitions (
  hash text primary key,
  document text not null
) strict;

create table workflows (
  id text not null,
  version text not null,
  name text not null,
  description text,
  steps integer not null,
  hash text not null,
  applied_at integer not null,
  primary key (id, version)
) strict, without rowid;
create index workflows_by_application on workflows (id, applied_at);

create table sessions (
  id text primary key,
  format integer not null,
  workflow_id text not null,
  workflow_version text not null,
  plan_hash text not null,
  agent_id text,
  status text not null check (
    status = 'started' or status = 'running' or status = 'completed' or status = 'failed' or status = 'cancelled'
  ),
  labels text not null,
  input text,
  result text,
  error text,
  failure text,
  failed_steps text not null,
  open integer not null,
  ended integer not null,
  next_key integer not null,
  event_sequence integer not null,
  callback_url text,
  created_at integer not null,
  updated_at integer not null,
  ended_at integer,
  -- The session's deadline while it is open.
  wake_at integer
) strict;
create index sessions_due on sessions (wake_at) where wake_at is not null;

create table session_labels (
  key text not null,
  value text not null,
  session_id text not null,
  primary key (key, value, session_id)
) strict, without rowid;

-- A step that has a task is as its task is. The others have a row here once something is known of them.
create table session_steps (
  session_id text not null,
  step integer not null,
  status text not null check (
    status = 'pending' or status = 'running' or status = 'completed' or status = 'failed' or status = 'skipped' or
    status = 'cancelled'
  ),
  remaining integer not null,
  ended_at integer,
  error text,
  primary key (session_id, step)
) strict, without rowid;

-- A task with its last attempt; a new attempt files the one before it in `past_attempts`.
create table tasks (
  id text primary key,
  name text not null,
  session_id text,
  step integer,
  step_id text,
  status text not null check (
    status = 'pending' or status = 'running' or status = 'completed' or status = 'failed' or status = 'cancelled'
  ),
  requirement text not null,
  lane text not null,
  order_key integer not null,
  ready_at integer not null,
  -- Tokens issued; attempts used up of `max`.
  attempts integer not null,
  used integer not null,
  max integer not null,
  undelivered integer not null,
  lost integer not null,
  policy text not null,
  fell_back integer not null,
  avoid_agent text,
  -- Of the last attempt.
  agent_id text,
  parameters text not null,
  result text,
  error text,
  dead_letter text,
  created_at integer not null,
  started_at integer,
  ended_at integer,
  deadline integer not null,
  -- Of its own stream, when it stands alone.
  event_sequence integer not null,
  -- The next moment something must be decided: the deadline of a task that waits, `wake_for` of one that runs, whose
  -- attempt never ends behind the deadline.
  wake_at integer,
  -- What follows is the last attempt, and null before the first one.
  token text,
  -- The number of the agent's slot, which it holds while the task runs.
  slot integer,
  attempt_status text check (
    attempt_status = 'created' or attempt_status = 'dispatched' or attempt_status = 'acknowledged' or attempt_status
    = 'succeeded' or attempt_status = 'failed' or attempt_status = 'timed_out' or attempt_status = 'lost' or
    attempt_status = 'cancelled'
  ),
  -- The process that sends it and how often it was sent; a sender that was replaced cannot write.
  epoch integer,
  sends integer,
  probe integer,
  counted integer,
  attempt_created_at integer,
  acknowledged_at integer,
  attempt_ended_at integer,
  timeout_at integer,
  -- `timeout`, `resend`, `grace`.
  wake_for text,
  -- Leases and timers that fell due while nobody judged are moved, at most twice.
  moved integer,
  evidence text,
  attempt_error text
) strict;
create index tasks_waiting on tasks (lane, order_key) where status = 'pending';
-- No two tasks run in one slot.
create unique index tasks_running on tasks (agent_id, slot) where status = 'running';
create index tasks_due on tasks (wake_at) where wake_at is not null;
create index tasks_dead on tasks (ended_at) where dead_letter is not null;
create unique index tasks_by_session on tasks (session_id, step) where session_id is not null;

create table past_attempts (
  task_id text not null,
  n integer not null,
  token text not null,
  agent_id text not null,
  slot integer not null,
  status text not null check (
    status = 'failed' or status = 'timed_out' or status = 'lost' or status = 'cancelled'
  ),
  epoch integer not null,
  sends integer not null,
  probe integer not null,
  counted integer not null,
  created_at integer not null,
  acknowledged_at integer,
  ended_at integer not null,
  timeout_at integer not null,
  moved integer not null,
  evidence text,
  error text,
  primary key (task_id, n)
) strict;

create view attempts as
  select id as task_id, attempts as n, token, agent_id, slot, attempt_status as status, epoch, sends, probe, counted,
    attempt_created_at as created_at, acknowledged_at, attempt_ended_at as ended_at, timeout_at,
    case when status = 'running' then wake_at end as wake_at, wake_for, moved, evidence, attempt_error as error
    from tasks where attempts > 0
  union all
  select task_id, n, token, agent_id, slot, status, epoch, sends, probe, counted, created_at, acknowledged_at, ended_at,
    timeout_at, null, null, moved, evidence, error
    from past_attempts;

-- What a lane waits for, written by the claim that found nothing, on change only.
create table lanes (
  lane text primary key,
  reason text not null,
  message text not null,
  details text not null,
  since integer not null
) strict, without rowid;

create table deliveries (
  id text primary key,
  kind text not null check (
    kind = 'message' or kind = 'task' or kind = 'webhook' or kind = 'notification' or kind = 'result'
  ),
  url text not null,
  headers text not null,
  body text not null,
  endpoint text not null,
  aggregate text not null,
  agent_id text,
  session_id text,
  status text not null check (status = 'pending' or status = 'delivered' or status = 'failed'),
  attempts integer not null,
  created_at integer not null,
  ended_at integer,
  last_error text,
  -- The next attempt while pending.
  wake_at integer
) strict;
create index deliveries_due on deliveries (wake_at) where wake_at is not null;
create index deliveries_order on deliveries (endpoint, aggregate, id) where status = 'pending';

create table tools (
  name text primary key,
  description text not null,
  parameters text not null,
  endpoint text not null,
  registered_at integer not null
) strict, without rowid;

create table keys (
  id text primary key,
  name text not null,
  hash text not null,
  scopes text not null,
  agent_id text,
  created_at integer not null,
  expires_at integer,
  revoked_at integer
) strict, without rowid;

create table idempotency (
  actor text not null,
  operation text not null,
  key text not null,
  body_hash text not null,
  answer text not null,
  created_at integer not null,
  primary key (actor, operation, key)
) strict;

create table replays (
  id text primary key,
  until integer not null
) strict, without rowid;

-- `position` numbers all events in the order they were committed, `sequence` those of one stream; no gaps. A row holds
-- the events that one transition wrote to one stream, `[[type, data], ...]`, under the numbers of the first.
create table events (
  position integer primary key,
  stream text not null,
  sequence integer not null,
  at integer not null,
  entries text not null
) strict;
create unique index events_by_stream on events (stream, sequence);
