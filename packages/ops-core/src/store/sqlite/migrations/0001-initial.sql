-- Times are microseconds since the epoch, UTC. JSON is text as received. Hot tables are narrow; ids sort by time.
-- Tables whose rows may exceed a few hundred bytes have a rowid: without one, a row above a quarter of a page spills into
-- pages of its own, and appending splits pages in halves.

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
  evidence text not null default 'none' check (evidence in ('none', 'bare', 'named', 'explicit')),
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

-- A slot or a limit: one row per unit. `draining_until`: the work ended but the agent is not known to be free yet.
create table permits (
  kind text not null,
  key text not null,
  n integer not null,
  attempt_id text,
  draining_until integer,
  primary key (kind, key, n)
) strict, without rowid;
create index permits_draining on permits (draining_until) where draining_until is not null;

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
  status text not null check (status in ('started', 'running', 'completed', 'failed', 'cancelled')),
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
  status text not null check (status in ('pending', 'running', 'completed', 'failed', 'skipped', 'cancelled')),
  remaining integer not null,
  ended_at integer,
  error text,
  primary key (session_id, step)
) strict, without rowid;

create table tasks (
  id text primary key,
  name text not null,
  session_id text,
  step integer,
  step_id text,
  status text not null check (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
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
  agent_id text,
  parameters text not null,
  result text,
  error text,
  dead_letter text,
  created_at integer not null,
  started_at integer,
  ended_at integer,
  deadline integer not null,
  -- The deadline while the task is open.
  wake_at integer,
  -- Of its own stream, when it stands alone.
  event_sequence integer not null
) strict;
create index tasks_waiting on tasks (lane, order_key) where status = 'pending';
-- A running task ends with its attempt, whose timeout is never behind the deadline.
create index tasks_due on tasks (wake_at) where status = 'pending';
create index tasks_dead on tasks (ended_at) where dead_letter is not null;
create unique index tasks_by_session on tasks (session_id, step) where session_id is not null;

create table attempts (
  task_id text not null,
  n integer not null,
  token text not null,
  agent_id text not null,
  permit integer not null,
  status text not null check (status in
    ('created', 'dispatched', 'acknowledged', 'succeeded', 'failed', 'timed_out', 'lost', 'cancelled')),
  -- The process that sends it and how often it was sent; a sender that was replaced cannot write.
  epoch integer not null,
  sends integer not null,
  probe integer not null,
  counted integer not null default 1,
  created_at integer not null,
  acknowledged_at integer,
  ended_at integer,
  timeout_at integer not null,
  -- The next moment something must be decided about it: `timeout`, `resend`, `grace`.
  wake_at integer,
  wake_for text,
  -- Leases and timers that fell due while nobody judged are moved, at most twice.
  moved integer not null default 0,
  evidence text,
  error text,
  primary key (task_id, n)
) strict;
create index attempts_due on attempts (wake_at) where wake_at is not null;

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
  kind text not null check (kind in ('message', 'task', 'webhook', 'notification', 'result')),
  url text not null,
  headers text not null,
  body text not null,
  endpoint text not null,
  aggregate text not null,
  agent_id text,
  session_id text,
  status text not null check (status in ('pending', 'delivered', 'failed')),
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
create index idempotency_by_age on idempotency (created_at);

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
