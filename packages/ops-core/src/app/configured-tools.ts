import { stringifyJson } from "@opspawn/contract";
import { type Config, ConfigError } from "../config.ts";
import type { ConfiguredTool } from "../config-file.ts";
import type { Clock } from "../domain/clock.ts";
import type { Ports } from "../domain/ports.ts";
import type { ToolStore } from "../domain/store.ts";
import { TOOL_CONCURRENCY } from "../domain/tools/tool.ts";

/** What the originals' mock tool takes. */
const MOCK_PARAMETERS = {
  type: "object",
  properties: { x: { type: "number" }, y: { type: "number" } },
  required: ["x", "y"],
};

export interface ToolRegistration {
  readonly tools: ToolStore;
  readonly clock: Clock;
  readonly decideUrl: Ports["decideUrl"];
}

/**
 * Registers the tools of the configuration; what changed since the last start replaces what was there.
 * @throws ConfigError for an endpoint that our HTTP client would refuse
 */
export async function registerConfiguredTools(config: Config, registration: ToolRegistration): Promise<void> {
  const tools = configuredTools(config);
  const refused = tools.flatMap(({ name, endpoint }) => {
    const decision = registration.decideUrl(new URL(endpoint));
    return decision.isAllowed ? [] : [`Tool ${name}: ${decision.reason}`];
  });
  if (refused.length > 0) throw new ConfigError(refused);
  for (const tool of tools) await register(tool, registration);
}

function configuredTools({ tools, mockToolUrl }: Config): readonly ConfiguredTool[] {
  if (mockToolUrl === null) return tools;
  const mock: ConfiguredTool = {
    name: "mock_tool",
    description: "A mock tool",
    parameters: MOCK_PARAMETERS,
    endpoint: mockToolUrl,
    maxConcurrency: TOOL_CONCURRENCY,
  };
  return [...tools, mock];
}

async function register(tool: ConfiguredTool, { tools, clock }: ToolRegistration): Promise<void> {
  const known = await tools.get(tool.name);
  if (known !== null) {
    const same =
      known.endpoint === tool.endpoint &&
      known.description === tool.description &&
      known.maxConcurrency === tool.maxConcurrency &&
      stringifyJson(known.parameters) === stringifyJson(tool.parameters);
    if (same) return;
  }
  await tools.replace({ ...tool, registeredAt: clock.now() });
}
