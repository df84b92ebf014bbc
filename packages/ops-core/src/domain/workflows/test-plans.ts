import fc from "fast-check";
import type { OnFailure, PlanStep, Reserve, StepKind, WorkflowPlan } from "./plan.ts";

/** A step as the model needs it; the rest of a plan's step is of no account to the engine's logic. */
export interface Sketch {
  readonly kind: StepKind;
  readonly dependsOn: readonly number[];
  readonly reserveOf: Reserve | null;
  readonly when: boolean;
  readonly forEach: { readonly concurrency: number; readonly onItemError: "fail" | "collect" } | null;
  readonly repeat: { readonly maxIterations: number; readonly onExhausted: "fail" | "complete" } | null;
  readonly compensated: boolean;
  readonly onFailure: OnFailure | null;
}

const PLAIN: Sketch = {
  kind: "agent",
  dependsOn: [],
  reserveOf: null,
  when: false,
  forEach: null,
  repeat: null,
  compensated: false,
  onFailure: null,
};

export function sketch(rest: Partial<Sketch> = {}): Sketch {
  return { ...PLAIN, ...rest };
}

export function planOf(sketches: readonly Sketch[], onFailure: OnFailure = "fail"): WorkflowPlan {
  const steps = sketches.map((each, index) => stepOf(sketches, each, index));
  return { id: "plan", steps: steps as PlanStep[], onFailure } as unknown as WorkflowPlan;
}

/** A plan of plain steps that wait for earlier ones: `dependsOn[i]` holds indices below `i`. */
export function graph(dependsOn: readonly (readonly number[])[], onFailure: readonly (OnFailure | null)[] = []) {
  return planOf(dependsOn.map((needs, index) => sketch({ dependsOn: needs, onFailure: onFailure[index] ?? null })));
}

function stepOf(sketches: readonly Sketch[], { when, compensated, ...rest }: Sketch, index: number): unknown {
  const reserve = (role: Reserve["role"]) => {
    const found = sketches.findIndex((each) => each.reserveOf?.step === index && each.reserveOf.role === role);
    return found < 0 ? null : found;
  };
  return {
    ...rest,
    id: `s${index}`,
    index,
    dependents: sketches.flatMap((each, other) =>
      each.reserveOf === null && each.dependsOn.includes(index) ? [other] : [],
    ),
    reserves: { fallback: reserve("fallback"), rejected: reserve("rejected"), expired: reserve("expired") },
    when: when ? "true" : null,
    compensation: compensated ? {} : null,
  };
}

const MAKES_WORK: readonly StepKind[] = ["agent", "tool", "workflow"];

const raw = fc.record({
  kind: fc.constantFrom<StepKind>("agent", "agent", "tool", "workflow", "approval", "wait"),
  needs: fc.array(fc.nat(), { maxLength: 3 }),
  reserve: fc.option(fc.nat(), { freq: 2 }),
  role: fc.constantFrom<Reserve["role"]>("rejected", "expired"),
  when: fc.boolean(),
  shape: fc.constantFrom("once", "once", "forEach", "repeat"),
  concurrency: fc.integer({ min: 1, max: 3 }),
  onItemError: fc.constantFrom("fail" as const, "collect" as const),
  maxIterations: fc.integer({ min: 1, max: 3 }),
  onExhausted: fc.constantFrom("fail" as const, "complete" as const),
  compensated: fc.boolean(),
  onFailure: fc.constantFrom<OnFailure | null>("fail", "continue", "compensate", null, null),
});

/** Any plan that the compiler could let through, with everything the language has. */
export const anyPlan: fc.Arbitrary<WorkflowPlan> = fc
  .tuple(fc.array(raw, { minLength: 1, maxLength: 10 }), fc.constantFrom<OnFailure>("fail", "continue", "compensate"))
  .map(([steps, onFailure]) => {
    const sketches: Sketch[] = [];
    for (const each of steps) sketches.push(sketchOf(each, sketches));
    return planOf(sketches, onFailure);
  });

type Raw = typeof raw extends fc.Arbitrary<infer R> ? R : never;

function sketchOf(each: Raw, before: readonly Sketch[]): Sketch {
  const { kind, when, concurrency, onItemError, maxIterations, onExhausted, compensated, onFailure } = each;
  const reserveOf = each.reserve === null ? null : reserveFor(each.reserve, each.role, before);
  const works = MAKES_WORK.includes(kind);
  return {
    kind,
    dependsOn: reserveOf === null ? needsOf(each.needs, before) : [reserveOf.step],
    reserveOf,
    when,
    forEach: works && each.shape === "forEach" ? { concurrency, onItemError } : null,
    repeat: works && each.shape === "repeat" ? { maxIterations, onExhausted } : null,
    compensated: works && compensated,
    onFailure,
  };
}

/** Nobody waits for a step that stands in for another. */
function needsOf(needs: readonly number[], before: readonly Sketch[]): number[] {
  const open = before.flatMap((each, index) => (each.reserveOf?.role === "fallback" ? [] : [index]));
  const chosen = needs.flatMap((need) => open[need % Math.max(open.length, 1)] ?? []);
  return [...new Set(chosen)].sort((a, b) => a - b);
}

/** A step earlier in the list that may have one in reserve and has none in that role yet. */
function reserveFor(pick: number, wished: Reserve["role"], before: readonly Sketch[]): Reserve | null {
  const step = pick % Math.max(before.length, 1);
  const owner = before[step];
  if (owner === undefined) return null;
  const role = roleFor(owner.kind, wished);
  const taken = before.some(({ reserveOf }) => reserveOf?.step === step && reserveOf.role === role);
  return taken ? null : { step, role };
}

function roleFor(kind: StepKind, wished: Reserve["role"]): Reserve["role"] {
  if (kind === "approval") return wished;
  return kind === "wait" ? "expired" : "fallback";
}
