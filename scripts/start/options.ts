import path from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "./start-error.ts";

export const USAGE = `Runs the platform, three example agents, and a workflow that reports on documents.

  npm start                      on this repository's own documentation
  npm start -- --file notes.md   on a file of yours; may be given several times
  npm start -- --once            ends after the workflow, with a status that tells
  npm start -- --pace 3          agents wait 3 s before they work: time to watch,
                                 or to kill something and see it go on
  npm start -- --port 9000       default 8000, or another when that is taken
  npm start -- --data FOLDER     where everything is kept; default .opspawn
`;

/** Seconds; the workflow gives each step a minute. */
const MOST_PACE = 30;

export interface StartOptions {
  /** Absolute paths; empty = this repository's documentation. */
  readonly files: readonly string[];
  readonly once: boolean;
  /** Seconds. */
  readonly pace: number;
  /** Null = 8000, or another when that is taken. */
  readonly port: number | null;
  /** Absolute path. */
  readonly data: string;
  readonly help: boolean;
}

/**
 * @param cwd the folder of the person who called; relative paths start there
 * @param root the repository
 * @throws StartError
 */
export function readOptions(argv: readonly string[], { cwd, root }: { cwd: string; root: string }): StartOptions {
  const values = parse(argv);
  return {
    files: (values.file ?? []).map((file) => path.resolve(cwd, file)),
    once: values.once ?? false,
    pace: values.pace === undefined ? 0 : number("--pace", values.pace, MOST_PACE),
    port: values.port === undefined ? null : number("--port", values.port, 65_535),
    data: values.data === undefined ? path.join(root, ".opspawn") : path.resolve(cwd, values.data),
    help: values.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        file: { type: "string", multiple: true },
        once: { type: "boolean" },
        pace: { type: "string" },
        port: { type: "string" },
        data: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`, 2);
  }
}

function number(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new StartError(`${flag} must be a whole number from 0 to ${max}, not "${text}".`, 2);
}
