-- Tools are called for tasks as agents are: with attempts, slots and a circuit. An attempt without an agent is that of
-- the tool that its task's lane names, so no agent's id, whatever it may be, is ever that of a tool.

-- Calls that a tool takes at once.
alter table tools add column max_concurrency integer not null default 10;

-- The slots are an agent's or a tool's.
create table new_draining_slots (
  task_id text not null,
  n integer not null,
  agent_id text,
  slot integer not null,
  until integer not null,
  tool text,
  primary key (task_id, n),
  check ((agent_id is null) <> (tool is null))
) strict, without rowid;
insert into new_draining_slots (task_id, n, agent_id, slot, until)
  select task_id, n, agent_id, slot, until from draining_slots;
drop table draining_slots;
alter table new_draining_slots rename to draining_slots;
create unique index draining_slots_by_agent on draining_slots (agent_id, slot) where agent_id is not null;
create unique index draining_slots_by_tool on draining_slots (tool, slot) where tool is not null;

-- As in `tasks`, `agent_id` is null for an attempt of a tool.
drop view attempts;
create table new_past_attempts (
  task_id text not null,
  n integer not null,
  token text not null,
  agent_id text,
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
insert into new_past_attempts select * from past_attempts;
drop table past_attempts;
alter table new_past_attempts rename to past_attempts;
create view attempts as
  select id as task_id, attempts as n, token, agent_id, slot, attempt_status as status, epoch, sends, probe, counted,
    attempt_created_at as created_at, acknowledged_at, attempt_ended_at as ended_at, timeout_at,
    case when status = 'running' then wake_at end as wake_at, wake_for, moved, evidence, attempt_error as error
    from tasks where attempts > 0
  union all
  select task_id, n, token, agent_id, slot, status, epoch, sends, probe, counted, created_at, acknowledged_at, ended_at,
    timeout_at, null, null, moved, evidence, error
    from past_attempts;
