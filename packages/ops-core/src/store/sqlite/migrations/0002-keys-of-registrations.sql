-- Tells the keys that agents got by registering from those that an operator made for them: when a newer key of a
-- registration is used, the older ones end after a while. Keys under the agent's own name count as registered.

alter table keys add column registered integer not null default 0;

update keys set registered = 1
  where name = (select a.name from agents a where a.id = keys.agent_id);

create index keys_of_agents on keys (agent_id, created_at) where agent_id is not null;
