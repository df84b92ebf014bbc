import type { Database } from "./database.ts";

/** The task `t` is its step: there is no row that says more. */
const IS_STEP = `t.undoes = 0 and not exists (select 1 from session_steps p where p.session_id = t.session_id
  and p.step = t.step and p.status <> 'pending')`;

/** Queries that must return nothing, whatever has happened. */
const INVARIANTS: Readonly<Record<string, string>> = {
  "a running task has one open attempt, its last": `select id from tasks t where status = 'running' and 1 <>
    (select count(*) from attempts a where a.task_id = t.id and a.n = t.attempts and a.ended_at is null)`,
  "an open attempt is the last of a running task": `select a.task_id, a.n from attempts a left join tasks t
    on t.id = a.task_id where a.ended_at is null and (t.status is not 'running' or t.attempts <> a.n)`,
  "an attempt is an agent's, or that of the tool its task wants": `select a.task_id, a.n from attempts a
    join tasks t on t.id = a.task_id where (a.agent_id is null) <> (t.lane like 'tool:%')`,
  "a lane is that of what its tasks want": `select id from tasks where lane <> case requirement ->> 'kind'
    when 'agent' then 'agent:' || (requirement ->> 'agentId')
    when 'agentName' then 'name:' || (requirement ->> 'agentName')
    when 'capability' then 'capability:' || (requirement ->> 'capability')
    when 'tool' then 'tool:' || (requirement ->> 'tool') end`,
  "a slot of an agent is taken once": `select agent_id, slot from
    (select agent_id, slot from attempts where ended_at is null and agent_id is not null
      union all select agent_id, slot from draining_slots where agent_id is not null)
    group by agent_id, slot having count(*) > 1`,
  "a slot of a tool is taken once": `select lane, slot from
    (select lane, slot from tasks where status = 'running' and agent_id is null
      union all select 'tool:' || tool, slot from draining_slots where tool is not null)
    group by lane, slot having count(*) > 1`,
  "a draining slot is that of an ended attempt": `select d.task_id, d.slot from draining_slots d
    left join tasks t on t.id = d.task_id left join attempts a on a.task_id = d.task_id and a.n = d.n
      and a.agent_id is d.agent_id and a.slot = d.slot
    where a.ended_at is null or (d.tool is not null and t.lane <> 'tool:' || d.tool)`,
  "an agent that is gone has no slots": `select agent_id from
    (select agent_id from attempts where ended_at is null union all select agent_id from draining_slots)
    where agent_id is not null and agent_id not in (select id from agents where removed_at is null)`,
  // Its open calls go on without it; what was given up is forgotten with it.
  "a tool that is gone has no draining slots": `select tool from draining_slots
    where tool is not null and tool not in (select name from tools)`,
  // Invariant 19.
  "a permit is held by an attempt that runs, or that may still be at work": `select p.key, p.task_id, p.attempt
    from permits p left join attempts a on a.task_id = p.task_id and a.n = p.attempt
    where a.task_id is null or (a.ended_at is not null and not exists (select 1 from draining_slots d
      where d.task_id = p.task_id and d.n = p.attempt))`,
  "what runs under a limit, or may still, has a permit of its key": `select t.id from tasks t
    where t.limits ->> '$.concurrency.key' is not null and ((t.status = 'running' and not exists (select 1 from permits p
      where p.task_id = t.id and p.attempt = t.attempts and p.key = t.limits ->> '$.concurrency.key'))
    or exists (select 1 from draining_slots d where d.task_id = t.id and not exists (select 1 from permits p
      where p.task_id = d.task_id and p.attempt = d.n)))`,
  "a key has no more permits than the limit of any that holds one": `select key, count(*) from permits group by key
    having count(*) > max(allowed)`,
  "within its time a key is used no more often than its tasks may": `select u.key, u.n from rate_uses u
    join rate_uses o on o.key = u.key and o.n = u.n - u.allowed where o.at > u.at - u.per`,
  "each attempt under a rate was counted, as far back as uses are kept": `select t.id from tasks t
    where t.limits ->> '$.rate.key' is not null
      and t.attempt_created_at >= (select min(at) from rate_uses u where u.key = t.limits ->> '$.rate.key')
      and not exists (select 1 from rate_uses u where u.key = t.limits ->> '$.rate.key' and u.used_by = t.id
        and u.at = t.attempt_created_at)`,
  "a past attempt has another after it": `select p.task_id, p.n from past_attempts p left join tasks t on t.id = p.task_id
    where t.id is null or t.attempts <= p.n`,
  "an open attempt wakes up, at its timeout at the latest": `select task_id, n from attempts where ended_at is null
    and (wake_at is null or wake_at > timeout_at or wake_for is null)`,
  "what has ended wakes up no more": `select id from tasks where ended_at is not null and wake_at is not null
    union all select task_id from attempts where ended_at is not null and wake_at is not null
    union all select id from sessions where ended_at is not null and wake_at is not null
    union all select id from deliveries where ended_at is not null and wake_at is not null
    union all select id from approvals where ended_at is not null and wake_at is not null
    union all select id from cancellations where ended_at is not null and wake_at is not null
    union all select session_id || '/' || step from session_steps where ended_at is not null and wake_at is not null`,
  "a pending delivery wakes up": "select id from deliveries where status = 'pending' and wake_at is null",
  "a message that waits for an agent goes where that is": `select d.id, d.url from deliveries d left join agents a
    on a.id = d.agent_id and a.removed_at is null where d.status = 'pending' and d.kind in ('message', 'task')
    and d.agent_id is not null and d.url is not a.endpoint`,
  "a waiting task wakes up at its deadline":
    "select id from tasks where status = 'pending' and wake_at is not case held when 2 then null else deadline end",
  "what has ended says when, and nothing else does": `select id from tasks where (ended_at is null) <>
      (status in ('pending', 'running'))
    union all select id from sessions where (ended_at is null) <> (status in ('started', 'running', 'waiting', 'paused'))
    union all select id from approvals where (ended_at is null) <> (status = 'pending')
    union all select task_id from attempts where (ended_at is null) <>
      (status in ('created', 'dispatched', 'acknowledged'))
    union all select id from deliveries where (ended_at is null) <> (status = 'pending')`,
  "what is suspect is an open attempt, and watched": `select p.task_id, p.n from attempt_progress p
    left join attempts a on a.task_id = p.task_id and a.n = p.n
    where p.suspect_since is not null and (a.task_id is null or a.ended_at is not null or p.silence is null)`,
  "an attempt that wakes up for its silence is watched": `select a.task_id, a.n from attempts a
    left join attempt_progress p on p.task_id = a.task_id and p.n = a.n
    where a.ended_at is null and a.wake_for = 'silence' and p.silence is null`,
  "who is quarantined is registered, and known as such": `select q.agent_id from quarantines q
    left join agents a on a.id = q.agent_id and a.removed_at is null where a.health is not 'quarantined'
    union all select id from agents where removed_at is null and health = 'quarantined'
    and id not in (select agent_id from quarantines)`,
  "a quarantined agent is tried by one open attempt of its own": `select q.agent_id, q.trial from quarantines q
    left join attempts a on a.task_id || '/' || a.n = q.trial
    where q.trial is not null and (a.ended_at is not null or a.agent_id is not q.agent_id)`,
  "an attempt is acknowledged at a time": `select task_id, n from attempts
    where status = 'acknowledged' and acknowledged_at is null`,
  "a task has used up its counted attempts": `select id, used from tasks t where used <> (select count(*) from attempts a
    where a.task_id = t.id and a.counted = 1 and a.status in ('succeeded', 'failed', 'timed_out', 'lost'))`,
  "attempts are within their bound": "select id from tasks where used > max",
  "tokens are numbered without gaps": `select id from tasks t where attempts <>
    (select count(*) from attempts a where a.task_id = t.id and a.n between 1 and t.attempts)`,
  "a part of a step has one task": `select session_id, step, part from tasks where session_id is not null
    and step is not null group by session_id, step, part, undoes having count(*) > 1`,
  "a session counts its open steps": `select id, open from sessions s where open <>
    (select count(*) from session_steps p where p.session_id = s.id and p.status in ('running', 'waiting'))
    + (select count(*) from tasks t where t.session_id = s.id and t.status in ('pending', 'running') and ${IS_STEP})`,
  "a session counts its waiting steps": `select id, waiting from sessions s where waiting <>
    (select count(*) from session_steps p where p.session_id = s.id and p.status = 'waiting')`,
  "a session counts its ended steps": `select id, ended from sessions s where ended <>
    (select count(*) from session_steps p where p.session_id = s.id and p.ended_at is not null)
    + (select count(*) from tasks t where t.session_id = s.id and t.ended_at is not null and t.part = 0 and ${IS_STEP})`,
  "a session waits when all its open steps wait, unless it is paused": `select id from sessions
    where (status = 'waiting') <> (ended_at is null and status <> 'paused' and open > 0 and open = waiting)`,
  "a step that was taken over has its items, too, where it was": `select i.session_id, i.step, i.item from step_items i
    join session_steps p on p.session_id = i.session_id and p.step = i.step where p.source is not null`,
  "what was taken over comes from a session that has ended": `select p.session_id, p.source as home from session_steps p
      left join sessions s on s.id = p.source where p.source is not null and s.ended_at is null
    union all select i.session_id, i.source from step_items i left join sessions s on s.id = i.source
      where i.source is not null and s.ended_at is null`,
  "a paused session says why, and no other does": `select id from sessions where (status = 'paused') <>
    (pause is not null)`,
  "a task is held while it waits and its session is paused": `select t.id from tasks t
    left join sessions s on s.id = t.session_id where t.held <> 2 and t.held <> (t.status = 'pending' and s.status is 'paused')`,
  "a task is in doubt while something is to settle that": `select t.id from tasks t where (t.held = 2) <> (select count(*)
    from doubts d where d.task_id = t.id and d.ended_at is null)`,
  "a task in doubt waits, and has a policy that is at it": `select t.id from tasks t join doubts d on d.task_id = t.id
    left join approvals a on a.id = d.approval_id left join tasks h on h.id = d.helper_id
    where d.ended_at is null and (t.status <> 'pending' or (a.status is 'pending') = (h.id is not null and h.ended_at is null)
      or (d.policy = 'ask') <> (a.id is not null))`,
  "a task that settles something is one of a doubt, and open while that is": `select h.id from tasks h
    left join doubts d on d.helper_id = h.id where h.undoes = 2 and h.ended_at is null and (d.task_id is null or
    d.ended_at is not null)`,
  "a task counts its open effects": `select id, open_effects from tasks t where open_effects <>
    (select count(*) from effects e where e.task_id = t.id and e.status = 'intended')`,
  "a completed task has no open effects": "select id from tasks where status = 'completed' and open_effects > 0",
  "an effect has a receipt, or is open": `select task_id, effect_id from effects where (status = 'intended') <>
    (told_at is null) or (told_at is null) <> (told_by is null)`,
  "within a paused session nothing goes on, but what is being undone": `select c.id from sessions c
    join sessions s on s.id = c.parent_id where s.status = 'paused' and c.status not in ('paused', 'completed', 'failed',
    'cancelled') and c.undo_total is null`,
  "a waiting step waits for something": `select p.session_id, p.step from session_steps p where p.status = 'waiting'
    and p.wake_at is null and p.signal is null and not exists (select 1 from approvals a
      where a.session_id = p.session_id and a.step = p.step and a.status = 'pending')`,
  "a step that does not wait has no time and no signal": `select session_id, step from session_steps
    where status <> 'waiting' and (wake_at is not null or signal is not null)`,
  "a pending approval has a step that waits for it": `select a.id from approvals a left join session_steps p
    on p.session_id = a.session_id and p.step = a.step where a.task_id is null and a.status = 'pending'
    and p.status is not 'waiting'`,
  "a pending question about effects has a task in doubt": `select a.id from approvals a left join doubts d
    on d.approval_id = a.id where a.task_id is not null and a.status = 'pending' and (d.ended_at is not null or
    d.task_id is not a.task_id)`,
  "a pending approval wakes up to be asked again or to expire, whichever comes first": `select id from approvals
    where status = 'pending' and wake_at is not coalesce(min(expires_at, remind_at), expires_at, remind_at)`,
  "an approval that has ended is not asked again": `select id from approvals
    where ended_at is not null and remind_at is not null`,
  "a question that is answered is not on its way": `select d.id from deliveries d join approvals a on a.id = d.aggregate
    where d.status = 'pending' and a.ended_at is not null`,
  "a link that was used has decided": `select l.id from approval_links l join approvals a on a.id = l.approval_id
    where l.used_at is not null and a.status not in ('approved', 'rejected')`,
  "a step counts its open items": `select p.session_id, p.step from session_steps p
    where p.total is not null and p.status = 'running' and p.open_items <>
    (select count(*) from tasks t where t.session_id = p.session_id and t.step = p.step and t.undoes = 0
      and t.ended_at is null)
    + (select count(*) from sessions c where c.parent_id = p.session_id and c.parent_step = p.step
      and c.ended_at is null)`,
  "no item is begun twice or left out": `select p.session_id, p.step from session_steps p
    where p.next_item > p.total or p.next_item < p.open_items + p.failed_items`,
  "a session does not outlive the one it is a step of, but to undo what it did": `select c.id from sessions c
    join sessions s on s.id = c.parent_id where c.ended_at is null and s.ended_at is not null and c.undo_total is null`,
  "a session that undoes what it did is at it, or waits for somebody to stop": `select s.id from sessions s
    where s.undo_total is not null and s.ended_at is null and (s.undo_total > 0 or not exists (with recursive
      below (id) as (select s.id union all select c.id from below join sessions c on c.parent_id = below.id)
      select 1 from below join cancellations n on n.session_id = below.id where n.wake_at is not null)) and 1 <> (select count(*) from tasks t where t.session_id = s.id and t.undoes = 1
      and t.ended_at is null)`,
  "what is undone was planned": `select t.id from tasks t left join compensations c on c.session_id = t.session_id
    and c.step = t.step and c.part = t.part where t.undoes = 1 and c.n is null`,
  "an ended session has no open task": `select s.id from sessions s join tasks t on t.session_id = s.id
    where s.ended_at is not null and t.ended_at is null`,
  "an open session has something to wait for": `select id from sessions where ended_at is null and open = 0
    and undo_total is null`,
  "a cancellation waits for a time, or has ended": `select id from cancellations where (wake_at is null) <>
      (ended_at is not null) or (ended_at is null) <> (stage in ('requested', 'delivered', 'acknowledged'))`,
  "a cancellation is that of an attempt that has ended": `select c.id from cancellations c left join attempts a
    on a.task_id = c.task_id and a.n = c.n where a.ended_at is null`,
  "whoever may be at a task that was cancelled is to stop": `select d.task_id, d.n from draining_slots d
    join tasks t on t.id = d.task_id where t.status = 'cancelled' and not exists
    (select 1 from cancellations c where c.task_id = d.task_id and c.n = d.n)`,
  "whoever has stopped holds no slot": `select d.task_id, d.n from draining_slots d join cancellations c
    on c.task_id = d.task_id and c.n = d.n where c.stage in ('stopped', 'finished')`,
  "nobody is told of a cancellation that has ended": `select d.id from deliveries d join cancellations c
    on c.id = d.cancellation_id where d.status = 'pending' and c.ended_at is not null`,
  "a cancellation that was given up says where and why": `select id from cancellations
    where stage = 'unreachable' and (stuck_at is null or note is null)`,
  "a failed task says why": "select id from tasks where status in ('failed', 'cancelled') and error is null",
  "only failed tasks are dead letters": "select id from tasks where dead_letter is not null and status <> 'failed'",
  "a fire is open while its session is": `select f.schedule_id, f.sequence from schedule_fires f
    left join sessions s on s.id = f.session_id where (f.open = 1) <> (s.id is not null and s.ended_at is null)`,
  "a schedule counts its fires": `select id from schedules s where fires <>
      (select coalesce(max(sequence), 0) from schedule_fires f where f.schedule_id = s.id)
    or queued <> (select count(*) from schedule_fires f where f.schedule_id = s.id and f.outcome = 'queued')`,
  "a schedule decides about a due time once": `select schedule_id, due_at from
    (select schedule_id, due_at, lag(last_due_at) over (partition by schedule_id order by sequence) as before
      from schedule_fires where kind = 'series') where due_at <= before`,
  "a schedule wakes up for its next due time, unless it is paused": `select id from schedules where
    case when paused_at is null then next_at is not null and (wake_at is null or wake_at > next_at)
      else next_at is not null or wake_at is not null end`,
  "a fire that waits for nothing is due": `select id from schedules s where queued > 0 and paused_at is null
    and wake_at is null and (overlap = 'allow' or not exists
      (select 1 from schedule_fires f where f.schedule_id = s.id and f.open = 1))`,
  "a fire has a session, or says what became of it": `select schedule_id, sequence from schedule_fires
    where (outcome = 'started') <> (session_id is not null and started_at is not null)
    or (outcome = 'failed') <> (error is not null)`,
  "a circuit is open from its fifth failure": `select endpoint from circuits where (failures >= 5) <>
    (opened_at is not null and next_probe_at is not null)`,
};

export function brokenInvariants(db: Database): string[] {
  return Object.entries(INVARIANTS).flatMap(([name, sql]) => {
    const rows = db.all(sql);
    return rows.length === 0 ? [] : [`${name}, but: ${JSON.stringify(rows)}`];
  });
}
