-- Approvals are asked again, and decided by links that need no key.

alter table approvals add column reminders integer not null default 0;
-- When it is asked again next. `wake_at` is the earlier one of this and `expires_at`, while it is pending.
alter table approvals add column remind_at integer;

create table approval_links (
  id text primary key,
  approval_id text not null,
  decision text not null check (decision = 'approve' or decision = 'reject' or decision = 'any'),
  -- Of its token: SHA-256, hex.
  hash text not null,
  recipient text not null,
  -- The key that made it: its links end with it.
  key_id text not null,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
) strict, without rowid;
create index approval_links_by_approval on approval_links (approval_id);
