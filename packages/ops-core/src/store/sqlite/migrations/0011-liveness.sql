-- Whether agents are alive and get on: what they say of their progress, how their attempts end, and what follows.

-- Bounds the silence of attempts that have sent progress; null = none.
alter table agents add column silence_timeout integer;
-- A tiny task by which it shows that it works: { parameters, timeout, expect? }.
alter table agents add column probe text;
-- How its attempts ended since the first failure that still counts: [[at, task, error code or null], ...]; null = well.
alter table agents add column ends text;
-- What was last derived of it. The column of `health_since` is null for an agent that has always been ready.
alter table agents add column health text not null default 'ready' check (
  health = 'ready' or health = 'suspect' or health = 'unresponsive' or health = 'offline' or health = 'quarantined'
);
alter table agents add column health_cause text;
alter table agents add column health_since integer;
alter table agents add column health_evidence text;

-- Agents that get no work, because they failed too often or because somebody said so.
create table quarantines (
  agent_id text primary key,
  since integer not null,
  cause text not null check (cause = 'failures' or cause = 'manual'),
  failed integer not null,
  "of" integer not null,
  by text,
  reason text,
  -- Tries since then that failed.
  tries integer not null,
  -- Null = it is not tried until somebody readmits it.
  next_try_at integer,
  -- The attempt by which it is being tried, `task/number`.
  trial text
) strict, without rowid;

-- What agents said of attempts, and those of which a step wants to hear. Most attempts have no row.
create table attempt_progress (
  task_id text not null,
  n integer not null,
  agent_id text not null,
  -- Null until one was given.
  counter real,
  note text,
  -- When it last said anything; null = nothing yet.
  at integer,
  -- When the counter last grew, or the watch began.
  watched_from integer not null,
  -- Null = it may be silent until the attempt's timeout.
  silence integer,
  suspect_since integer,
  -- Times the watch was moved over a gap since the counter last grew.
  moved integer not null,
  -- When the last event of it was stored.
  event_at integer,
  -- When it first spoke of the attempt after its end.
  late_at integer,
  primary key (task_id, n)
) strict, without rowid;
create index attempt_progress_suspect on attempt_progress (agent_id) where suspect_since is not null;
