// Looks at the text from three sides. It takes three tasks at once, so the workflow's branches run side by side.

import { listIn, runExampleAgent } from "./example-agent.ts";
import type { Outline, Prose } from "./text/documents.ts";
import { keyPhrasesOf } from "./text/key-phrases.ts";
import { readabilityOf } from "./text/readability.ts";
import { structureOf } from "./text/structure.ts";

await runExampleAgent({
  name: "analyst",
  description: "Measures readability, finds key phrases and checks the structure of documents.",
  maxConcurrency: 3,
  handlers: {
    "text.readability": ({ parameters }) => readabilityOf(listIn<Prose>(parameters, "prose")),
    "text.key-phrases": ({ parameters }) => keyPhrasesOf(listIn<Prose>(parameters, "prose")),
    "text.structure": ({ parameters }) => structureOf(listIn<Outline>(parameters, "outlines")),
  },
});
