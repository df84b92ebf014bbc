-- What limits a task stands on the task, as JSON text; null for nearly all. Those that have limits wait in lines of their
-- own, one per lane and limits, so that a key that is full hides nobody's work; the others stay in the index they had.

alter table tasks add column limits text;
drop index tasks_waiting;
create index tasks_waiting on tasks (lane, order_key) where status = 'pending' and held = 0 and limits is null;
create index tasks_limited on tasks (lane, limits, order_key) where status = 'pending' and held = 0 and limits is not null;

-- A permit of a key is held by an attempt until its slot is free. `allowed` is the limit of its task; no two attempts
-- hold the same one, and none holds one beyond its limit.
create table permits (
  key text not null,
  n integer not null,
  task_id text not null,
  attempt integer not null,
  since integer not null,
  allowed integer not null,
  primary key (key, n),
  check (n >= 0 and n < allowed)
) strict, without rowid;
create unique index permits_by_attempt on permits (task_id, attempt);

-- When tasks of a key began, counted from 1: one may begin when the one `allowed` before it is `per` ago. Kept for as
-- long as the longest limit looks back, longer than the task `used_by` may be.
create table rate_uses (
  key text not null,
  n integer not null,
  at integer not null,
  used_by text not null,
  allowed integer not null,
  per integer not null,
  primary key (key, n)
) strict, without rowid;
create index rate_uses_by_time on rate_uses (at);
