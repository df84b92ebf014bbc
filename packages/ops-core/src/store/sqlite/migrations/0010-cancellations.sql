-- An attempt that was cancelled while somebody may have been at it: who is told and how, what they said, and how long is
-- waited for it.
create table cancellations (
  id text primary key,
  task_id text not null,
  n integer not null,
  session_id text,
  step_id text,
  -- An agent's, with the name it had then, or a tool's.
  agent_id text,
  agent_name text,
  tool text,
  channel text not null check (channel = 'message' or channel = 'answer' or channel = 'none'),
  -- The message that tells the agent.
  delivery_id text,
  reason text not null,
  stage text not null check (
    stage = 'requested' or stage = 'delivered' or stage = 'acknowledged' or stage = 'stopped' or stage = 'finished' or
    stage = 'refused' or stage = 'unreachable'
  ),
  requested_at integer not null,
  delivered_at integer,
  acknowledged_at integer,
  ended_at integer,
  -- The stage at which it was given up.
  stuck_at text,
  evidence text,
  note text,
  -- When the attempt would have timed out.
  timeout_at integer not null,
  -- Times the stage was moved over a gap.
  moved integer not null default 0,
  -- When the stage is given up.
  wake_at integer,
  check ((agent_id is null) <> (tool is null))
) strict;
create unique index cancellations_by_attempt on cancellations (task_id, n);
create index cancellations_by_session on cancellations (session_id) where session_id is not null;
create index cancellations_by_agent on cancellations (agent_id) where wake_at is not null;
create index cancellations_due on cancellations (wake_at) where wake_at is not null;

-- Of a message that tells of a cancellation.
alter table deliveries add column cancellation_id text;
