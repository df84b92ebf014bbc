import { isJsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { type Clock, pause } from "../clock.ts";
import { backoff, isTransient } from "./backoff.ts";
import type { Identity, IdentityStore } from "./identity.ts";
import type { Logger } from "./logger.ts";
import { type AgentCard, detailOf, networkError, type Platform, type PlatformAnswer } from "./platform.ts";

export interface RegistrationTools {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identities: IdentityStore;
  /** An operator's key, presented when the agent has none of its own. */
  readonly operatorKey: string | null;
  /** Microseconds to keep trying while the platform is away. */
  readonly within: number;
}

/** Who the platform says this agent is; without a key the platform gave none (the two halves run apart). */
export interface Registered {
  readonly agentId: string;
  readonly key: string | null;
}

/**
 * Registers the agent, presenting the key remembered from an earlier start so that it gets its id back.
 * @throws OpspawnError `agent_name_taken` when another agent has the name, `upstream_unreachable` when the platform
 * stayed away, `invalid_request` or `unauthenticated` when it refused
 */
export async function register(card: AgentCard, tools: RegistrationTools): Promise<Registered> {
  const { platform, identities, operatorKey } = tools;
  const known = await identities.load(platform.url, card.agentName);
  const keys = new Set([known?.key ?? operatorKey, operatorKey, null]);
  let answer: PlatformAnswer | undefined;
  for (const key of keys) {
    answer = await registerWith(key, card, tools);
    // A key this platform does not know (its data was deleted) must not keep the agent out: go on without it.
    if (![401, 403, 409].includes(answer.status)) break;
  }
  if (answer === undefined || answer.status !== 201) throw refusal(card, answer);
  const agentId = agentIdOf(answer.body);
  if (agentId === null)
    throw new OpspawnError("upstream_failed", "The platform's answer to the registration has no id.");
  const key = answer.headers.get("x-agent-key") ?? (known?.agentId === agentId ? known.key : null);
  if (key !== null) await remember({ platform: platform.url, agentName: card.agentName, agentId, key }, tools);
  return { agentId, key };
}

async function registerWith(key: string | null, card: AgentCard, tools: RegistrationTools): Promise<PlatformAnswer> {
  const { platform, clock, within, logger } = tools;
  const until = clock.now() + within;
  for (let tries = 1; ; tries++) {
    let reason: string;
    try {
      const answer = await platform.register(card, key);
      if (!isTransient(answer.status)) return answer;
      reason = detailOf(answer);
    } catch (error) {
      reason = networkError(error);
    }
    const delay = backoff(tries, clock);
    if (clock.now() + delay > until) {
      const message = `The platform at ${platform.url} could not be reached (${reason}). Is it running there?`;
      throw new OpspawnError("upstream_unreachable", message);
    }
    logger.warn({ platform: platform.url, reason, tries }, "platform not reached yet");
    await pause(clock, delay);
  }
}

async function remember(identity: Identity, { identities, logger }: RegistrationTools): Promise<void> {
  try {
    await identities.save(identity);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ reason }, "the agent's key could not be kept: after a restart its name will be taken");
  }
}

function refusal(card: AgentCard, answer: PlatformAnswer | undefined): OpspawnError {
  const detail = answer === undefined ? "no answer" : detailOf(answer);
  switch (answer?.status) {
    case 409:
      return new OpspawnError(
        "agent_name_taken",
        `An agent named "${card.agentName}" is registered already, and this one cannot show that it is the same. ` +
          "Give it the identity file of its earlier start or a platform key, or choose another name.",
      );
    case 401:
    case 403:
      return new OpspawnError("unauthenticated", `The platform wants a key to register agents (${detail}).`);
    default:
      return new OpspawnError("invalid_request", `The platform refused the registration (${detail}).`);
  }
}

function agentIdOf(body: JsonValue): string | null {
  const data = isJsonObject(body) ? body.data : null;
  const id = isJsonObject(data) ? data.agentId : null;
  return typeof id === "string" ? id : null;
}
