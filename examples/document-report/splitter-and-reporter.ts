// Begins and ends the workflow: splits the files, and writes the report. Two capabilities, one agent.

import { listIn, runExampleAgent } from "./example-agent.ts";
import type { SourceFile } from "./text/documents.ts";
import { type ReportInput, reportOf } from "./text/report.ts";
import { splitFiles } from "./text/split.ts";

await runExampleAgent({
  name: "splitter-and-reporter",
  description: "Splits documents, and merges what others found in them into a report.",
  maxConcurrency: 2,
  handlers: {
    "document.split": ({ parameters }) => splitFiles(listIn<SourceFile>(parameters, "files")),
    // Each branch comes with its result, or the error that kept it from having one.
    "document.report": ({ parameters }) => ({ markdown: reportOf(parameters as unknown as ReportInput) }),
  },
});
