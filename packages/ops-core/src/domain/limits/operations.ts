import { formatDuration, type LimitView } from "@opspawn/contract";
import { timeOrNull } from "../blocked-view.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import type { LimitRecord } from "./limit.ts";

export function limitHandlers({ store }: Ports): NounHandlers<"limits"> {
  return {
    async list(_context, { query }) {
      const { key, ...page } = query;
      const { items, nextCursor } = await store.limits.list(page, { key });
      return { items: items.map(limitView), nextCursor };
    },
  };
}

function limitView({ per, nextPermitAt, ...limit }: LimitRecord): LimitView {
  return { ...limit, per: per === null ? null : formatDuration(per), nextPermitAt: timeOrNull(nextPermitAt) };
}
