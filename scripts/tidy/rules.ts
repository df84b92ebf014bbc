import { applyExemptions, EXEMPTIONS, type Exemption } from "./exemptions.ts";
import { fileNames, rootFolder } from "./file-names.ts";
import type { Finding, Rule, Tree } from "./finding.ts";
import { layers } from "./layers.ts";
import { links } from "./links.ts";
import { lockFile } from "./lock-file.ts";
import { places } from "./places.ts";
import { words } from "./words.ts";

const RULES: readonly Rule[] = [layers, places, words, rootFolder, fileNames, lockFile, links];

/** Every place where the tree breaks a rule that Biome, tsc and knip do not know. */
export function findUntidy(tree: Tree, exemptions: readonly Exemption[] = EXEMPTIONS): Finding[] {
  return applyExemptions(
    RULES.flatMap((rule) => rule(tree)),
    exemptions,
  );
}

export function describe({ rule, file, line, message }: Finding): string {
  return `${file}${line === undefined ? "" : `:${line}`}  ${message}  [${rule}]`;
}
