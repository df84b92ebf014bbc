/** Writes packages/contract/workflow.schema.json anew, after the workflow language has changed. */
import { writeFileSync } from "node:fs";
import { editorSchema } from "../packages/ops-core/src/domain/workflows/editor-schema.ts";

const file = new URL("../packages/contract/workflow.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(editorSchema(), null, 2)}\n`);
console.log(`Wrote ${file.pathname}`);
