import { formatTime, OpspawnError, type ToolView } from "@opspawn/contract";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { readEndpoint } from "../request-fields.ts";
import type { Tool } from "./tool.ts";

export function toolHandlers({ store, clock, decideUrl }: Ports): NounHandlers<"tools"> {
  return {
    async register(context, { body }) {
      const idempotency = idempotencyOf(context, "tools.register", body);
      const { value, replayed } = await repeatable(store.answers, idempotency, async () => {
        const { name, description, parameters, maxConcurrency } = body;
        const endpoint = readEndpoint(body.endpoint, ["body", "endpoint"], decideUrl);
        const fresh = { name, description, parameters, endpoint, maxConcurrency, registeredAt: clock.now() };
        const done = await store.tools.register(fresh, idempotency);
        return { value: done.tool, replayed: done.replayed };
      });
      context.replayed = replayed;
      return toolView(value);
    },
    async list(_context, { query }) {
      const { items, nextCursor } = await store.tools.list(query);
      return { items: items.map(toolView), nextCursor };
    },
    async remove(_context, { params }) {
      if (!(await store.tools.remove(params.name))) {
        throw new OpspawnError("tool_not_found", `Tool not found: ${params.name}`);
      }
      return { name: params.name };
    },
  };
}

function toolView(tool: Tool): ToolView {
  const { name, description, parameters, endpoint, maxConcurrency } = tool;
  const registeredAt = formatTime(tool.registeredAt);
  return { name, description, parameters, type: "external", endpoint, maxConcurrency, registeredAt };
}
