/** Preloaded into a server: puts the bug that CHAOS_PLANTED names into its source while Node loads it. */
import { plant, plantOnLoad } from "../planting/planting.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

const name = process.env.CHAOS_PLANTED ?? "";
const bug = PLANTED_BUGS.find((each) => each.name === name);
if (bug === undefined) throw new Error(`there is no planted bug ${name}`);

plantOnLoad(new Map([[bug.file, (source) => plant(bug, source)]]));
