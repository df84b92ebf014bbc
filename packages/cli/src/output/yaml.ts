import { type JsonValue, stringifyJson } from "@opspawn/contract";
import { isScalar, parseDocument, visit } from "yaml";
import { inertJson, plainLines } from "./text.ts";

/** The value as YAML; numbers keep the digits they came with. */
export function toYaml(value: JsonValue): string {
  // JSON is YAML: reading it as such keeps numbers as written. Only the notation is changed to the usual one.
  const document = parseDocument(stringifyJson(value), { intAsBigInt: true, uniqueKeys: false, logLevel: "silent" });
  visit(document, {
    Collection: (_, node) => {
      node.flow = node.items.length === 0;
    },
    Scalar: (_, node) => {
      if (typeof node.value !== "string") return;
      // What a terminal obeys is escaped, which only this notation can.
      node.type = isInert(node.value) ? "PLAIN" : "QUOTE_DOUBLE";
    },
    Pair: (_, pair) => {
      if (isScalar(pair.key) && typeof pair.key.value === "string") {
        pair.key.type = isInert(pair.key.value) ? "PLAIN" : "QUOTE_DOUBLE";
      }
    },
  });
  return inertJson(document.toString({ lineWidth: 0 }));
}

function isInert(text: string): boolean {
  return plainLines(text) === text;
}
