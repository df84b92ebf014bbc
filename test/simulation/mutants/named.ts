import { ATTEMPTS } from "./named/attempts.ts";
import type { NamedMutant } from "./named/named-mutant.ts";
import { SESSIONS } from "./named/sessions.ts";
import { TIME } from "./named/time.ts";
import { WRITER } from "./named/writer.ts";

/** Each is to be killed by the simulator. */
export const NAMED_MUTANTS: readonly NamedMutant[] = [...ATTEMPTS, ...WRITER, ...SESSIONS, ...TIME];
