-- Workflows that start by themselves, and what became of each of their due times.

create table schedules (
  id text primary key,
  name text not null,
  workflow_id text not null,
  workflow_version text,
  input text,
  agent_id text,
  labels text not null,
  -- `kind` and what belongs to it.
  timing text not null,
  start_at integer,
  end_at integer,
  overlap text not null check (overlap = 'skip' or overlap = 'queue' or overlap = 'allow'),
  catch_up text not null check (catch_up = 'skip' or catch_up = 'one' or catch_up = 'all'),
  catch_up_window integer not null,
  paused_at integer,
  note text,
  -- The first due time that nothing has been decided about; null while paused, and when none is left.
  next_at integer,
  -- Due times up to here have been decided about: none of them comes again, whatever clock or timing say.
  decided_until integer,
  -- When something is to be done: a due time comes, or a fire that waits may start.
  wake_at integer,
  -- Fires that wait for an earlier session.
  queued integer not null,
  -- Fires recorded; the last one has this number.
  fires integer not null,
  started integer not null,
  skipped integer not null,
  failed integer not null,
  missed integer not null,
  -- Failed in a row.
  failures integer not null,
  -- What became of due times up to here is not kept any more.
  forgotten_until integer,
  event_sequence integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
create unique index schedules_by_name on schedules (name);
create index schedules_due on schedules (wake_at) where wake_at is not null;

create table schedule_fires (
  schedule_id text not null,
  sequence integer not null,
  kind text not null check (kind = 'series' or kind = 'backfill' or kind = 'trigger'),
  due_at integer not null,
  -- Another than `due_at` where several in a row were missed.
  last_due_at integer not null,
  count integer not null,
  outcome text not null check (
    outcome = 'queued' or outcome = 'started' or outcome = 'skipped' or outcome = 'failed' or outcome = 'missed'
  ),
  reason text,
  error text,
  session_id text,
  -- 1 while its session is.
  open integer not null,
  decided_at integer not null,
  started_at integer,
  primary key (schedule_id, sequence)
) strict;
-- A due time is decided about once, and starts something once.
create unique index schedule_fires_of_series on schedule_fires (schedule_id, due_at) where kind = 'series';
create unique index schedule_fires_once on schedule_fires (schedule_id, due_at)
  where kind <> 'trigger' and (outcome = 'started' or outcome = 'queued');
create index schedule_fires_queued on schedule_fires (schedule_id, sequence) where outcome = 'queued';
create index schedule_fires_open on schedule_fires (schedule_id, sequence) where open = 1;
create unique index schedule_fires_by_open_session on schedule_fires (session_id) where open = 1;
