import type { MetricView } from "@opspawn/contract";
import type { NounHandlers, Ports } from "../ports.ts";
import type { OpenCount } from "./count-store.ts";

/** What each noun's metric says of its samples. */
const HELP: Readonly<Record<OpenCount["noun"], string>> = {
  sessions: "Sessions that are open; `waiting` are those of which nothing runs or could be given out.",
  steps: "Steps that wait for something else than a task, by what that is.",
  tasks: "Tasks that are open, by status and by what they wait for.",
  deliveries: "Outgoing messages that have not arrived yet, by what they wait for.",
  approvals: "Decisions that sessions wait for.",
  schedules: "Schedules that have not ended, by what they wait for.",
  agents: "Registered agents, by the state they reported last and the health that was derived.",
};

export function metricsHandlers({ store }: Ports): NounHandlers<"metrics"> {
  return {
    async read() {
      const counts = await store.counts.open();
      const nouns = Object.keys(HELP) as OpenCount["noun"][];
      return { items: nouns.map((noun) => metricOf(noun, counts)) };
    },
  };
}

function metricOf(noun: OpenCount["noun"], counts: readonly OpenCount[]): MetricView {
  const samples = counts
    .filter((count) => count.noun === noun)
    .map(({ status, reason, count }) => ({ labels: labelsOf(noun, status, reason), value: count }));
  return { name: `opspawn_${noun}`, help: HELP[noun], type: "gauge", samples };
}

function labelsOf(noun: OpenCount["noun"], status: string, reason: string): Record<string, string> {
  if (noun === "agents") return { state: status, health: reason };
  return reason === "" ? { status } : { status, blocked_reason: reason };
}
