import { ATTEMPTS } from "./named/attempts.ts";
import { CANCELLATIONS } from "./named/cancellations.ts";
import { EFFECTS } from "./named/effects.ts";
import { ENDS } from "./named/ends.ts";
import { FORKS } from "./named/forks.ts";
import { HEALTH } from "./named/health.ts";
import { LANGUAGE } from "./named/language.ts";
import { LIMITS } from "./named/limits.ts";
import { LINKS } from "./named/links.ts";
import type { NamedMutant, WantedMutant } from "./named/named-mutant.ts";
import { POLICIES } from "./named/policies.ts";
import { SCHEDULES } from "./named/schedules.ts";
import { SESSIONS } from "./named/sessions.ts";
import { SLOTS } from "./named/slots.ts";
import { STREAMS } from "./named/streams.ts";
import { TIME } from "./named/time.ts";
import { TIMES } from "./named/times.ts";
import { TOOLS } from "./named/tools.ts";
import { WANTED } from "./named/wanted.ts";
import { WRITER } from "./named/writer.ts";

/** Each is to be killed by the simulator. */
export const NAMED_MUTANTS: readonly NamedMutant[] = [
  ...ATTEMPTS,
  ...SLOTS,
  ...LIMITS,
  ...POLICIES,
  ...WRITER,
  ...SESSIONS,
  ...ENDS,
  ...EFFECTS,
  ...TIME,
  ...STREAMS,
  ...CANCELLATIONS,
  ...HEALTH,
  ...LANGUAGE,
  ...SCHEDULES,
  ...TOOLS,
  ...FORKS,
  ...TIMES,
  ...LINKS,
];

/** Each is a reason to extend the simulated world. */
export const WANTED_MUTANTS: readonly WantedMutant[] = WANTED;
