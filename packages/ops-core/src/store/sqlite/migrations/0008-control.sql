-- Sessions are paused, come before others, and begin where another one ended. Words of a check cannot be altered, so the
-- column is made anew; that keeps whatever other columns the table has got.

alter table sessions add column new_status text not null default 'started' check (
  new_status = 'started' or new_status = 'running' or new_status = 'waiting' or new_status = 'paused' or
  new_status = 'completed' or new_status = 'failed' or new_status = 'cancelled'
);
update sessions set new_status = status;
alter table sessions drop column status;
alter table sessions rename column new_status to status;
-- While it is paused: which session was asked to, its own id or that of one above it; by whom, why, since when.
alter table sessions add column pause text;
-- Added to the priority of each of its steps.
alter table sessions add column priority integer not null default 0;
-- The session that it took finished steps over from.
alter table sessions add column forked_from text;
create index sessions_by_source on sessions (forked_from) where forked_from is not null;

-- A step that was taken over: the session in which its runs and its result are.
alter table session_steps add column source text;
-- An item that was taken over: the session in which its run is.
alter table step_items add column source text;
-- What a step is given in a fork instead of what its definition says.
create table fork_parameters (
  session_id text primary key,
  step integer not null,
  parameters text not null
) strict;

-- 1 while its session is paused: what must stop a claim stands on the task itself, and no claim finds it.
alter table tasks add column held integer not null default 0;
-- The dead letter that it was made from.
alter table tasks add column redrive_of text;
create index tasks_redriven on tasks (redrive_of) where redrive_of is not null;
drop index tasks_waiting;
create index tasks_waiting on tasks (lane, order_key) where status = 'pending' and held = 0;
create index tasks_held on tasks (lane) where status = 'pending' and held = 1;
