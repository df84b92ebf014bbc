-- What agents do outside is announced before, and told of afterwards; and what nobody can tell is left in doubt.

create table effects (
  n integer primary key,
  task_id text not null,
  effect_id text not null,
  session_id text,
  step_id text,
  kind text,
  description text,
  payload_hash text,
  payload text,
  status text not null check (
    status = 'intended' or status = 'done' or status = 'failed' or status = 'not_done'
  ),
  -- The attempt that announced it last.
  attempt integer not null,
  announced_at integer not null,
  -- Its receipt.
  result text,
  note text,
  told_at integer,
  told_attempt integer,
  told_by text
) strict;
create unique index effects_by_task on effects (task_id, effect_id);
create index effects_by_session on effects (session_id) where session_id is not null;
create index effects_open on effects (n) where status = 'intended';

-- How many of its effects are `intended`.
alter table tasks add column open_effects integer not null default 0;

-- Tasks of which an attempt died with open effects, while something is to tell what came of them. `held` of such a task
-- is 2.
create table doubts (
  task_id text not null,
  -- The attempt that died.
  attempt integer not null,
  policy text not null check (policy = 'ask' or policy = 'verify' or policy = 'compensate'),
  since integer not null,
  -- How the attempt ended: what its retry policy judges, if it comes to that.
  outcome text not null,
  -- Who is asked.
  approval_id text,
  -- The task that finds out, or undoes.
  helper_id text,
  answer text,
  ended_at integer,
  primary key (task_id, attempt)
) strict;
create index doubts_open on doubts (task_id) where ended_at is null;
create unique index doubts_by_helper on doubts (helper_id) where helper_id is not null;

-- An approval may be about a task in doubt instead of a step that asks for it.
alter table approvals add column task_id text;
drop index approvals_by_step;
create unique index approvals_by_step on approvals (session_id, step) where task_id is null;
create index approvals_by_session on approvals (session_id);
