-- The whole language: steps that wait, fan out, repeat, start sessions of their own, and are undone. Tables whose words
-- changed are made anew, since a check cannot be altered.

create table new_sessions (
  id text primary key,
  format integer not null,
  workflow_id text not null,
  workflow_version text not null,
  plan_hash text not null,
  agent_id text,
  status text not null check (
    status = 'started' or status = 'running' or status = 'waiting' or status = 'completed' or status = 'failed' or
    status = 'cancelled'
  ),
  labels text not null,
  -- A row is written anew with every change of it, so an input of some size is kept in `large_inputs`.
  input text,
  large_input integer not null default 0,
  result text,
  error text,
  failure text,
  failed_steps text not null,
  open integer not null,
  -- Those of the open steps that wait for a time, a signal or a decision.
  waiting integer not null default 0,
  ended integer not null,
  -- Set once the session undoes what it did: how much there is to undo, and of how much that cannot be said to be done.
  undo_total integer,
  undo_failed integer,
  next_key integer not null,
  event_sequence integer not null,
  callback_url text,
  created_at integer not null,
  updated_at integer not null,
  ended_at integer,
  -- The session's deadline while it is open.
  wake_at integer,
  -- The step that started it, in a session of its own; `part` as in `tasks`.
  parent_id text,
  parent_step integer,
  parent_part integer,
  -- Sessions above it.
  depth integer not null default 0
) strict;
insert into new_sessions (id, format, workflow_id, workflow_version, plan_hash, agent_id, status, labels, input, result,
    error, failure, failed_steps, open, ended, next_key, event_sequence, callback_url, created_at, updated_at, ended_at,
    wake_at)
  select id, format, workflow_id, workflow_version, plan_hash, agent_id, status, labels, input, result, error, failure,
    failed_steps, open, ended, next_key, event_sequence, callback_url, created_at, updated_at, ended_at, wake_at
  from sessions;
drop table sessions;
create table large_inputs (
  session_id text primary key,
  input text not null
) strict;
insert into large_inputs (session_id, input) select id, input from new_sessions where octet_length(input) > 1024;
update new_sessions set input = null, large_input = 1 where octet_length(input) > 1024;
alter table new_sessions rename to sessions;
create index sessions_due on sessions (wake_at) where wake_at is not null;
create unique index sessions_by_parent on sessions (parent_id, parent_step, parent_part) where parent_id is not null;

-- A step that has one task is as its task is, unless its row here says more than `pending`.
create table new_session_steps (
  session_id text not null,
  step integer not null,
  status text not null check (
    status = 'pending' or status = 'waiting' or status = 'running' or status = 'completed' or status = 'failed' or
    status = 'skipped' or status = 'uncertain' or status = 'compensated' or status = 'cancelled'
  ),
  remaining integer not null,
  started_at integer,
  ended_at integer,
  result text,
  error text,
  -- Of a `forEach` whose list is known.
  total integer,
  next_item integer,
  open_items integer,
  failed_items integer,
  -- When the time it waits for has come, or its patience ends.
  wake_at integer,
  -- The name of the signal it waits for.
  signal text,
  primary key (session_id, step)
) strict;
insert into new_session_steps (session_id, step, status, remaining, ended_at, error)
  select session_id, step, status, remaining, ended_at, error from session_steps;
drop table session_steps;
alter table new_session_steps rename to session_steps;
create index session_steps_due on session_steps (wake_at) where wake_at is not null;

-- The list of a `forEach`, as it was when the step began.
create table step_items (
  session_id text not null,
  step integer not null,
  item integer not null,
  value text not null,
  -- What it failed of.
  error text,
  primary key (session_id, step, item)
) strict;

-- `part`: the item of a `forEach`, the iteration of a `repeat`, else 0. `undoes`: it undoes that part of the step.
alter table tasks add column part integer not null default 0;
alter table tasks add column undoes integer not null default 0;
drop index tasks_by_session;
create unique index tasks_by_session on tasks (session_id, step, part, undoes) where session_id is not null;

-- Signals that came before a step waited for them.
create table signals (
  session_id text not null,
  name text not null,
  n integer not null,
  payload text not null,
  received_at integer not null,
  primary key (session_id, name, n)
) strict;

create table approvals (
  id text primary key,
  session_id text not null,
  step integer not null,
  status text not null check (
    status = 'pending' or status = 'approved' or status = 'rejected' or status = 'expired' or status = 'cancelled'
  ),
  message text not null,
  details text,
  -- Of what is decided on: a decision says which it saw.
  subject_hash text not null,
  requested_at integer not null,
  expires_at integer,
  ended_at integer,
  decided_by text,
  comment text,
  -- `expires_at`, while it is pending.
  wake_at integer
) strict;
create unique index approvals_by_step on approvals (session_id, step);
create index approvals_due on approvals (wake_at) where wake_at is not null;
create index approvals_pending on approvals (id) where status = 'pending';

-- What is undone, in this order, once a session has failed.
create table compensations (
  session_id text not null,
  n integer not null,
  step integer not null,
  part integer not null,
  status text not null check (status = 'pending' or status = 'completed' or status = 'failed'),
  error text,
  primary key (session_id, n)
) strict, without rowid;
create index compensations_by_step on compensations (session_id, step, status, part);
