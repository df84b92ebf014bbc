/**
 * Judges what a run has left, knowing nothing of the run: `judge.ts FOLDER [--drained]`. Prints JSON: the judgement of
 * each invariant and figures. Exits 1 when anything was found.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkAll } from "../checker/checker.ts";
import type { ClientEntry, EffectEntry } from "../checker/entries.ts";
import { evidenceOf, Rows } from "../checker/evidence.ts";
import { type Figures, figuresOf } from "../checker/figures.ts";
import type { Judgement } from "../checker/invariant.ts";
import { readLog } from "./logs/read-log.ts";

export interface Verdict {
  readonly judgements: readonly Judgement[];
  readonly figures: Figures;
}

const { values, positionals } = parseArgs({ options: { drained: { type: "boolean" } }, allowPositionals: true });
const [folder = "."] = positionals;
const db = new Rows(join(folder, "data", "opspawn.db"));
const client = readLog<ClientEntry>(join(folder, "client.log"));
const effects = readdirSync(folder)
  .filter((name) => name.startsWith("effects-"))
  .flatMap((name) => readLog<EffectEntry>(join(folder, name)));
const judgements = checkAll(evidenceOf({ db, client, effects, isDrained: values.drained === true }));
const verdict: Verdict = { judgements, figures: figuresOf(db, client, effects) };
process.stdout.write(JSON.stringify(verdict));
process.exitCode = judgements.some(({ findings }) => findings.length > 0) ? 1 : 0;
