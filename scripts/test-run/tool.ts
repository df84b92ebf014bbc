import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { TARGETS } from "../launch/targets.mjs";

const root = path.dirname(path.dirname(import.meta.dirname));

/**
 * Runs one of the launcher's targets with this Node.
 * @returns what is wrong, in the tool's words; "" when it is content
 */
export async function complaintsOf(name: string): Promise<string> {
  const target = TARGETS[name];
  if (target === undefined) throw new Error(`no target ${name}`);
  const { code, output } = await runNode([target.script, ...(target.args ?? [])]);
  return code === 0 ? "" : output || `${name} ended with status ${code}`;
}

/** Runs Node in the root, away from the surrounding test run: a `node --test` inside must not report to it. */
async function runNode(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const code = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output: `${stdout}${stderr}`.trim() };
}
