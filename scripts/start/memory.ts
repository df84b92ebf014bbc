import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What one start remembers for the next, so that agents come back where the platform knows them. */
export interface StartMemory {
  /** Of the platform. */
  readonly port: number | null;
  /** Process ids: of the platform, and of the start command itself. They may be other processes by now. */
  readonly platform: number | null;
  readonly starter: number | null;
  /** Of each agent, by name. */
  readonly agents: Readonly<Record<string, number>>;
}

const NOTHING: StartMemory = { port: null, platform: null, starter: null, agents: {} };

/** A file that is missing, damaged or from another version says nothing: ports are only a preference. */
export function recall(data: string): StartMemory {
  try {
    const { port, platform, starter, agents } = JSON.parse(readFileSync(fileIn(data), "utf8")) as Partial<StartMemory>;
    return {
      port: isPort(port) ? port : null,
      platform: isWhole(platform) ? platform : null,
      starter: isWhole(starter) ? starter : null,
      agents: Object.fromEntries(Object.entries(agents ?? {}).filter(([, value]) => isPort(value))),
    };
  } catch {
    return NOTHING;
  }
}

export function remember(data: string, memory: StartMemory): void {
  writeFileSync(`${fileIn(data)}.new`, `${JSON.stringify(memory, null, 2)}\n`);
  renameSync(`${fileIn(data)}.new`, fileIn(data));
}

function fileIn(data: string): string {
  return path.join(data, "start.json");
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function isPort(value: unknown): value is number {
  return isWhole(value) && value <= 65_535;
}

/** Whether there is a process of this id. */
export function isAlive(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
