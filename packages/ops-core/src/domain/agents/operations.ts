import { nameOf } from "../approvals/deciders.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { readWait } from "../request-fields.ts";
import { claimTasks } from "./claim.ts";
import { registerAgent } from "./registration.ts";
import { removeAgent } from "./removal.ts";
import { agentView, needAgent, stateView } from "./view.ts";

export function agentHandlers(ports: Ports): NounHandlers<"agents"> {
  const { store } = ports;
  return {
    async register(context, { body }) {
      const { agentId, agentKey } = await registerAgent(ports, context, body);
      if (agentKey === null) throw new Error("this operation is served where agents have keys");
      return { agent: await agentView(store, await needAgent(store, agentId)), agentKey };
    },
    async list(_context, { query }) {
      const { capability, state, health, ...page } = query;
      const { items, nextCursor } = await store.agents.list(page, { capability, state, health });
      return { items: await Promise.all(items.map((agent) => agentView(store, agent))), nextCursor };
    },
    async get(_context, { params }) {
      return agentView(store, await needAgent(store, params.agentId));
    },
    async remove(_context, { params }) {
      const { reassigned } = await removeAgent(ports, params.agentId);
      return { agentId: params.agentId, reassigned };
    },
    async quarantine({ actor }, { params, body }) {
      await store.agents.quarantine(params.agentId, nameOf(actor), body.reason);
      return agentView(store, await needAgent(store, params.agentId));
    },
    async readmit(_context, { params }) {
      await store.agents.readmit(params.agentId);
      return agentView(store, await needAgent(store, params.agentId));
    },
    async states(_context, { params, query }) {
      await needAgent(store, params.agentId);
      const { items, nextCursor } = await store.agents.states(params.agentId, query);
      return { items: items.map(stateView), nextCursor };
    },
    async claim(context, { params, body }) {
      const ms = readWait(body.wait, ["body", "wait"]);
      return claimTasks(ports, context, { agentId: params.agentId, max: body.max, ms });
    },
  };
}
