import { isJsonObject, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { type Chance, type Clock, sleep } from "@opspawn/sdk";
import type { Identity, IdentityStore } from "./identity.ts";
import type { Logger } from "./logger.ts";

/** How an agent describes itself when it registers. */
export interface AgentCard {
  readonly agentName: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly contactEndpoint: string;
  readonly metadata: JsonObject | null;
}

export interface RegistrationTools {
  /** The platform's root. */
  readonly platform: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly identities: IdentityStore;
  /** An operator's key, presented when the agent has none of its own. */
  readonly operatorKey: string | null;
  /** Microseconds to keep trying while the platform is away. */
  readonly within: number;
}

/** Who the platform says this agent is; without a key the platform gave none (its two halves run apart). */
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
  const known = await identities.load(platform, card.agentName);
  const keys = [...new Set([known?.key ?? operatorKey, operatorKey, null])];
  let answer = await ask(keys[0] ?? null, card, tools);
  for (const key of keys.slice(1)) {
    // A key this platform does not know (its data was deleted, say) must not keep the agent out.
    if (![401, 403, 409].includes(answer.status)) break;
    answer = await ask(key, card, tools);
  }
  if (answer.status !== 201) throw refusal(card, answer);
  const agentId = agentIdOf(answer.body);
  if (agentId === null) throw new OpspawnError("upstream_failed", "The answer to the registration holds no agentId.");
  const key = answer.key ?? (known?.agentId === agentId ? known.key : null);
  if (key !== null) await remember({ platform, agentName: card.agentName, agentId, key }, tools);
  return { agentId, key };
}

interface Answer {
  readonly status: number;
  readonly body: JsonValue;
  readonly key: string | null;
}

const SECOND = 1_000_000;
const LONGEST_PAUSE = 5 * SECOND;

/** Asks until there is an answer that counts. */
async function ask(key: string | null, card: AgentCard, tools: RegistrationTools): Promise<Answer> {
  const { platform, clock, chance, within, logger } = tools;
  const until = clock.now() + within;
  for (let tries = 0; ; tries++) {
    const answer = await askOnce(key, card, tools).catch((error: unknown) => networkError(error));
    if (typeof answer === "object" && answer.status < 500 && answer.status !== 429) return answer;
    const reason = typeof answer === "string" ? answer : detailOf(answer);
    // Between half and all of a doubling pause: agents that lost the same platform should not come back in step.
    const pause = Math.min(LONGEST_PAUSE, (SECOND / 4) * 2 ** Math.min(tries, 20)) * (0.5 + chance.fraction() / 2);
    if (clock.now() + pause > until) {
      const message = `The platform at ${platform} could not be reached (${reason}). Is it running there?`;
      throw new OpspawnError("upstream_unreachable", message);
    }
    logger.warn({ platform, reason }, "platform not reached yet");
    await sleep(clock, pause);
  }
}

async function askOnce(key: string | null, card: AgentCard, { platform, clock }: RegistrationTools): Promise<Answer> {
  const late = new AbortController();
  const cancel = clock.after(10 * SECOND, () => late.abort(new Error("no answer within 10 s")));
  try {
    const response = await fetch(`${platform}/v1/agents/register`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(card),
      // A key must not follow to wherever an answer points.
      redirect: "manual",
      signal: late.signal,
    });
    const body = (await response.json().catch(() => null)) as JsonValue;
    return { status: response.status, body, key: response.headers.get("x-agent-key") };
  } finally {
    cancel();
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

function refusal(card: AgentCard, answer: Answer): OpspawnError {
  switch (answer.status) {
    case 409:
      return new OpspawnError(
        "agent_name_taken",
        `An agent named "${card.agentName}" is registered already, and this one cannot show that it is the same. ` +
          "Give it the identity file of its earlier start or a platform key, or choose another name.",
      );
    case 401:
    case 403:
      return new OpspawnError("unauthenticated", `The platform wants a key to register agents (${detailOf(answer)}).`);
    default:
      return new OpspawnError("invalid_request", `The platform refused the registration (${detailOf(answer)}).`);
  }
}

/** What an answer says is wrong, in one line. */
function detailOf({ status, body }: Answer): string {
  const detail = isJsonObject(body) ? body.detail : undefined;
  if (typeof detail === "string") return `${status}: ${detail}`;
  return detail === undefined ? `status ${status}` : `${status}: ${JSON.stringify(detail).slice(0, 500)}`;
}

/** `fetch` hides the reason in the cause. */
function networkError(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error ? first.message : String(first);
}

function agentIdOf(body: JsonValue): string | null {
  const data = isJsonObject(body) ? body.data : null;
  const id = isJsonObject(data) ? data.agentId : null;
  return typeof id === "string" ? id : null;
}
