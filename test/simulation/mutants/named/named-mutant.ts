import type { Planted } from "../../../planting/planting.ts";

/** A bug with a name: one that others had, or that a rule of the engine forbids. */
export interface NamedMutant extends Planted {
  /** What the server does wrong. */
  readonly is: string;
  /** The rules and promises of the engine that it breaks. */
  readonly rule: string;
}

/** A bug with a name that the simulator does not see yet. */
export interface WantedMutant extends NamedMutant {
  /** What the simulated world has to do, or to judge, for that. */
  readonly needs: string;
}
