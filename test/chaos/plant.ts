/** Preloaded into a server: puts the bug that CHAOS_PLANTED names into its source while Node loads it. */
import { registerHooks } from "node:module";
import { PLANTED_BUGS, plant } from "./planted-bugs.ts";

const name = process.env.CHAOS_PLANTED ?? "";
const bug = PLANTED_BUGS.find((each) => each.name === name);
if (bug === undefined) throw new Error(`there is no planted bug ${name}`);
const { href } = new URL(`../../packages/ops-core/src/${bug.file}`, import.meta.url);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== href) return loaded;
    return { ...loaded, source: plant(bug, String(loaded.source)) };
  },
});
