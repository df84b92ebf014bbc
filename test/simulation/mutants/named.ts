import { ATTEMPTS } from "./named/attempts.ts";
import type { NamedMutant, WantedMutant } from "./named/named-mutant.ts";
import { SESSIONS } from "./named/sessions.ts";
import { STREAMS } from "./named/streams.ts";
import { TIME } from "./named/time.ts";
import { WANTED } from "./named/wanted.ts";
import { WANTED_SESSIONS } from "./named/wanted-sessions.ts";
import { WRITER } from "./named/writer.ts";

/** Each is to be killed by the simulator. */
export const NAMED_MUTANTS: readonly NamedMutant[] = [...ATTEMPTS, ...WRITER, ...SESSIONS, ...TIME, ...STREAMS];

/** Each is a reason to extend the simulated world. */
export const WANTED_MUTANTS: readonly WantedMutant[] = [...WANTED, ...WANTED_SESSIONS];
