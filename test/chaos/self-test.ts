import { join } from "node:path";
import { PLANTED_BUGS, type PlantedBug } from "./planted-bugs.ts";
import { runRig } from "./rig/rig.ts";
import { showDurability, whyNoTrace } from "./trace/show-durability.ts";
import { judgeFolder } from "./verdict.ts";

const SESSIONS = 60;
const KILLS_OF_EACH_KIND = 3;
const KILLS_WITHIN_MS = 120_000;
/** Work that a bug has forgotten is not waited for. */
const DRAIN_MS = 25_000;
const TRACED_SESSIONS = 20;

/**
 * Shows that the rig can fail: the same runs, shorter, against servers with a bug in them. The judge is told nothing, and
 * has to find each bug in logs and database; without a bug it must find nothing.
 */
export async function selfTest(folder: string, seed: number): Promise<{ isGood: boolean; text: string }> {
  const isSilent = await staysSilent(folder, seed);
  const { isGood, text } = await catchAll(PLANTED_BUGS, folder, seed);
  const isTraceGood = await traceCatches(folder);
  return {
    isGood: isSilent && isTraceGood && isGood,
    text: `${text}, ${isSilent ? "no" : "a"} false alarm without one`,
  };
}

/** As `selfTest`, of one bug, for whoever works on it. @throws Error when there is none of that name */
export async function testBug(name: string, folder: string, seed: number): Promise<{ isGood: boolean; text: string }> {
  const bugs = PLANTED_BUGS.filter((bug) => bug.name === name);
  if (bugs.length === 0) throw new Error(`there is no planted bug ${name}: ${PLANTED_BUGS.map((bug) => bug.name)}`);
  return catchAll(bugs, folder, seed);
}

async function catchAll(bugs: readonly PlantedBug[], folder: string, seed: number) {
  let caught = 0;
  for (const bug of bugs) caught += (await isCaught(bug, folder, seed)) ? 1 : 0;
  return { isGood: caught === bugs.length, text: `${caught} of ${bugs.length} planted bugs caught` };
}

async function staysSilent(folder: string, seed: number): Promise<boolean> {
  const { judgements } = await runAndJudge(join(folder, "none"), seed);
  const broken = judgements.filter(({ findings }) => findings.length > 0);
  const isSilent = broken.length === 0;
  console.log(`${isSilent ? "silent" : "FALSE ALARM"}  no bug planted`);
  for (const { number, findings } of broken) console.log(`        ${number}: ${findings[0]}`);
  return isSilent;
}

async function isCaught(bug: PlantedBug, folder: string, seed: number): Promise<boolean> {
  const { judgements } = await runAndJudge(join(folder, bug.name), seed, bug);
  const caught = judgements.filter(({ number, findings }) => bug.breaks.includes(number) && findings.length > 0);
  console.log(`${caught.length > 0 ? "caught" : "MISSED"}  ${bug.name}: ${bug.is}`);
  for (const { number, findings } of caught) console.log(`        ${number}, ${findings.length} times: ${findings[0]}`);
  return caught.length > 0;
}

async function runAndJudge(folder: string, seed: number, bug?: PlantedBug) {
  const { unfinished } = await runRig({
    folder,
    seed,
    sessions: SESSIONS,
    random: bug?.kills ?? KILLS_OF_EACH_KIND,
    failpoints: bug?.kills ?? KILLS_OF_EACH_KIND,
    within: KILLS_WITHIN_MS,
    drain: DRAIN_MS,
    onKill: () => undefined,
    ...(bug === undefined ? {} : { planted: bug.name }),
    ...(bug?.points === undefined ? {} : { points: bug.points }),
  });
  return judgeFolder(folder, unfinished.length === 0);
}

async function traceCatches(folder: string): Promise<boolean> {
  const hindrance = whyNoTrace();
  if (hindrance !== null) {
    console.log(`not shown  system-call trace: ${hindrance}`);
    return true;
  }
  const planted = "acknowledge-before-commit";
  const { findings } = await showDurability({ folder: join(folder, "trace"), sessions: TRACED_SESSIONS, planted });
  console.log(`${findings.length > 0 ? "caught" : "MISSED"}  ${planted}, by the system-call trace`);
  if (findings.length > 0) console.log(`        ${findings.length} times: ${findings[0]}`);
  return findings.length > 0;
}
