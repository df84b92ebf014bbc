import test from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document, refuseEach } from "./definition.suite.ts";

const task = (fields: JsonObject): JsonObject => document([{ taskId: "a", ...fields }]);

test("parts of the language that are not built are refused by name in both modes, never ignored", () => {
  const kinds = ["approval", "wait", "tool", "workflow", "forEach", "repeat"];
  const settings = ["when", "concurrency", "onItemError", "compensate", "onReject", "onTimeout"];
  refuseEach([
    ...kinds.map(
      (name) =>
        [
          name,
          task({ [name]: {} }),
          ["tasks", 0, name],
          "not_supported",
          `\`${name}\` steps are not supported yet`,
        ] as const,
    ),
    ...settings.map(
      (name) =>
        [name, task({ [name]: "x" }), ["tasks", 0, name], "not_supported", `\`${name}\` is not supported yet`] as const,
    ),
    [
      "at the top",
      document([{ taskId: "a" }], { concurrency: 2 }),
      ["concurrency"],
      "not_supported",
      "`concurrency` is not supported yet",
    ],
    [
      "a step's compensation",
      task({ onFailure: "compensate" }),
      ["tasks", 0, "onFailure"],
      "not_supported",
      "`onFailure: compensate` is not supported yet",
    ],
    [
      "a workflow's compensation",
      document([{ taskId: "a" }], { onFailure: "compensate" }),
      ["onFailure"],
      "not_supported",
      "`onFailure: compensate` is not supported yet",
    ],
    ...(["b", { taskId: "b" }, { step: "b" }] as JsonValue[]).map(
      (fallback) =>
        [
          "fallback",
          task({ fallback }),
          ["tasks", 0, "fallback"],
          "not_supported",
          "fallback to a step is not supported yet; name an agentId, agentName or agentCapability",
        ] as const,
    ),
  ]);
});
