import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Verdict } from "./judge.ts";

const JUDGE = join(import.meta.dirname, "judge.ts");
const MAX_OUTPUT = 256 * 1024 * 1024;

/** Has a process of its own judge what is left in a folder: it sees logs and database, nothing of this process. */
export function judgeFolder(folder: string, isDrained: boolean): Promise<Verdict> {
  const args = ["--conditions=opspawn-source", JUDGE, folder, ...(isDrained ? ["--drained"] : [])];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      // It exits 1 when it has found something; without an answer it has failed.
      if (stdout === "") reject(error ?? new Error(`the judge said nothing: ${stderr}`));
      else resolve(JSON.parse(stdout) as Verdict);
    });
  });
}
