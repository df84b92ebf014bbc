import { ATTEMPTS } from "./named/attempts.ts";
import { CANCELLATIONS } from "./named/cancellations.ts";
import { ENDS } from "./named/ends.ts";
import { LANGUAGE } from "./named/language.ts";
import { LIMITS } from "./named/limits.ts";
import type { NamedMutant, WantedMutant } from "./named/named-mutant.ts";
import { POLICIES } from "./named/policies.ts";
import { SESSIONS } from "./named/sessions.ts";
import { SLOTS } from "./named/slots.ts";
import { STREAMS } from "./named/streams.ts";
import { TIME } from "./named/time.ts";
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
  ...TIME,
  ...STREAMS,
  ...CANCELLATIONS,
  ...LANGUAGE,
];

/** Each is a reason to extend the simulated world. */
export const WANTED_MUTANTS: readonly WantedMutant[] = WANTED;
