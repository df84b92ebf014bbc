/**
 * Shows durability apart from crashes: `fsync-trace.ts` watches the server's system calls under load. No 2xx of a change,
 * and no delivery, may leave before the write-ahead log with its group was synced. Exits 1 when one did.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { showDurability, whyNoTrace } from "./trace/show-durability.ts";

const { values } = parseArgs({ options: { planted: { type: "string" } } });
const hindrance = whyNoTrace();
if (hindrance !== null) {
  console.log(`not shown: ${hindrance}`);
} else {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-trace-"));
  const { shown, findings, syncs } = await showDurability({ folder, sessions: 60, ...values });
  for (const finding of findings.slice(0, 10)) console.log(finding);
  console.log(
    `${shown} answers and deliveries left after the sync of their group (${syncs} syncs), ${findings.length} before`,
  );
  process.exitCode = findings.length === 0 && shown > 0 ? 0 : 1;
  rmSync(folder, { recursive: true });
}
