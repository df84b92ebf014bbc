import { effectKey } from "../../../packages/ops-core/src/domain/effects/hash.ts";
import { entriesOf } from "../entries.ts";
import type { Invariant } from "../invariant.ts";

const oneKey: Invariant = {
  number: "9",
  name: "an effect of a task is done once, under one key, whichever attempts ask for it",
  needs: ["effects"],
  *check({ effects }) {
    const done = new Map<string, string>();
    for (const { task, effect, key, known } of entriesOf(effects ?? [], "outside")) {
      const before = done.get(`${task} ${effect}`);
      if (before !== undefined && !known) yield `effect ${effect} of ${task} was done twice`;
      if (key !== effectKey(task, effect)) yield `effect ${effect} of ${task} was done under the key ${key}`;
      done.set(`${task} ${effect}`, key);
    }
  },
};

const openIsUncertain: Invariant = {
  number: "9",
  name: "an effect that nobody told the end of belongs to what is uncertain, or was cancelled",
  needs: [],
  *check({ db, isDrained }) {
    yield* db.texts(`select 'effect ' || e.effect_id || ' of ' || e.task_id || ' is forgotten: its task is ' || t.status
      from effects e join tasks t on t.id = e.task_id where e.status = 'intended' and (t.status = 'completed'
        or (t.status = 'failed' and coalesce(json_extract(t.error, '$.uncertain'), 0) <> 1))`);
    // The task of a plain step is its step.
    yield* db.texts(`select 'step ' || t.step || ' of session ' || t.session_id || ' is ' || coalesce(p.status, t.status)
        || ', and what it announced is open' from tasks t left join session_steps p on p.session_id = t.session_id
        and p.step = t.step join sessions s on s.id = t.session_id
      where t.open_effects > 0 and t.undoes = 0 and t.step is not null and t.status = 'failed' and p.total is null
        and coalesce(p.status, t.status) not in ('uncertain', 'compensated')
        and t.part = (select max(part) from tasks l where l.session_id = t.session_id and l.step = t.step and l.undoes = 0)`);
    if (!isDrained) return;
    yield* db.texts("select 'task ' || task_id || ' is still in doubt' from doubts where ended_at is null");
  },
};

const countsOpen: Invariant = {
  number: "12",
  name: "a task counts its open effects",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'task ' || t.id || ' counts ' || t.open_effects || ' open effects, and has ' || count(e.n)
      from tasks t left join effects e on e.task_id = t.id and e.status = 'intended' group by t.id
      having count(e.n) <> t.open_effects`);
  },
};

/** What agents announce that they do outside. */
export const EFFECTS: readonly Invariant[] = [oneKey, openIsUncertain, countsOpen];
