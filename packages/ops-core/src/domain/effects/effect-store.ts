import type { Page, Paged } from "../store.ts";
import type { Announced, Effect, EffectFilter, Intent, ToldReceipt } from "./effect.ts";

/** What agents do outside, announced before and told of afterwards. */
export interface EffectStore {
  /**
   * An agent is about to do something, under the token of its open attempt. The effect's key is the same each time. When
   * it is known with another payload, the attempt fails and its task ends: `differs`. Errors: `task_not_found`,
   * `lease_lost`, `too_many_effects`.
   */
  intend(taskId: string, token: string, intent: Intent): Promise<Announced>;
  /**
   * What came of it: a fact, under any token that the task ever had. It settles what its end left in doubt. Errors:
   * `task_not_found`, `lease_lost` for a token never issued, `effect_not_found`.
   */
  receipt(taskId: string, token: string, effectId: string, receipt: ToldReceipt): Promise<Effect>;
  /** In the order in which they were announced. */
  ofTask(taskId: string): Promise<readonly Effect[]>;
  /** Newest first. */
  list(page: Page, filter: EffectFilter): Promise<Paged<Effect>>;
}
