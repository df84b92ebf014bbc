import { spawn } from "node:child_process";
import { join } from "node:path";

/** Milliseconds without a word. An honest seed takes less than two seconds, and all scenarios some 15, under load more. */
const LIMIT_MS = 60_000;
const PRELOAD = join(import.meta.dirname, "preload.ts");

export interface PlantedProcess {
  /** A file of this folder. */
  readonly script: string;
  readonly args: readonly string[];
  /** What names its sources, and what else it is to know. */
  readonly variables: Readonly<Record<string, string>>;
  /** Megabytes of heap. */
  readonly heap: number;
  readonly onLine: (line: string) => void;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly errors: string;
  readonly hung: boolean;
}

/** Runs a script of this folder in a process with other sources, until it ends or says nothing for too long. */
export function runPlanted({ script, args, variables, heap, onLine }: PlantedProcess): Promise<Ended> {
  const options = ["--conditions=opspawn-source", `--max-old-space-size=${heap}`, "--import", PRELOAD];
  const child = spawn(process.execPath, [...options, join(import.meta.dirname, script), ...args], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve) => {
    let [rest, errors, hung] = ["", "", false];
    const limit = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
      limit.refresh();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += errors.length < 20_000 ? text : "";
    });
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, errors, hung });
    });
  });
}

/** Of what a process died that was not done. */
export function deathOf({ code, errors, hung }: Ended): string {
  if (hung) return `no end within ${LIMIT_MS / 1_000} s`;
  if (code === 13) return "stopped: nothing was left that could happen";
  const line = errors.split("\n").find((each) => /Error|FATAL/.test(each)) ?? errors.split("\n")[0];
  return `crashed: ${line?.trim() || `exit ${code}`}`;
}
