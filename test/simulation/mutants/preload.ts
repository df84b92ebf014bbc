/** Preloaded into a process: puts the sources of the file that OPSPAWN_MUTANT names in the place of the product's own. */
import { readFileSync } from "node:fs";
import { plantOnLoad } from "../../planting/planting.ts";

const sources = JSON.parse(readFileSync(process.env.OPSPAWN_MUTANT ?? "", "utf8")) as Record<string, string>;
const loaded = plantOnLoad(new Map(Object.entries(sources).map(([file, source]) => [file, () => source])));

/** A mutant that nobody loads proves nothing, whatever comes of the run. */
process.on("exit", () => {
  const missing = Object.keys(sources).filter((file) => !loaded.has(file));
  if (missing.length > 0) process.exitCode = 3;
});
