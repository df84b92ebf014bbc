-- How much is open is asked while there are millions of sessions that are not.

create index sessions_open on sessions (status) where ended_at is null;
create index session_steps_waiting on session_steps (session_id, step, signal) where status = 'waiting';
