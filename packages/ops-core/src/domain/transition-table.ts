/**
 * A state machine as data: for each event the states it may happen in and the state it leads to. The stores build their
 * `where status in (...)` from it, the documentation and the illegal-transition tests are generated from it.
 */
export interface TransitionTable<State extends string, Event extends string> {
  readonly noun: string;
  readonly states: readonly State[];
  readonly initial: readonly State[];
  readonly transitions: { readonly [E in Event]: { readonly from: readonly State[]; readonly to: State } };
}

/** The state after `event`, or null where the table does not allow it. */
export function nextState<S extends string, E extends string>(
  table: TransitionTable<S, E>,
  state: S,
  event: E,
): S | null {
  const transition = table.transitions[event];
  return transition.from.includes(state) ? transition.to : null;
}

/** The states nothing leads out of. */
export function terminalStates<S extends string, E extends string>(table: TransitionTable<S, E>): readonly S[] {
  const transitions: readonly { from: readonly S[] }[] = Object.values(table.transitions);
  const left = new Set(transitions.flatMap((transition) => transition.from));
  return table.states.filter((state) => !left.has(state));
}

export function isTerminal<S extends string, E extends string>(table: TransitionTable<S, E>, state: S): boolean {
  return terminalStates(table).includes(state);
}
