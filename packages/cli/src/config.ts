import { resolve } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says; command line options go before it. */
export interface Settings {
  /** How the caller called this program, for commands we propose. */
  readonly program: string;
  /** Where the caller stands: relative paths are meant from here. */
  readonly folder: string;
  readonly url: string;
  /** From the environment; null when it has none. */
  readonly key: string | null;
  /** The server's data folder, absolute. */
  readonly data: string;
  /** True when the data folder was chosen, not assumed. */
  readonly isDataChosen: boolean;
  readonly isColourWanted: boolean;
  /** Passed on to the server that `dev` and `serve` start. */
  readonly environment: Environment;
}

const DEFAULT_URL = "http://127.0.0.1:8000";
const DEFAULT_DATA = ".opspawn";
const NPM_SCRIPT = "opspawn";

/** Reads the environment, the only place of this package that does. An empty variable counts as not set. */
export function readSettings(env: Environment = process.env, folder: string = process.cwd()): Settings {
  const set = (...names: string[]): string | undefined => names.map((name) => env[name]).find((text) => text);
  // npm changes to the package's folder first, but `--input @note.json` means the one the caller is in.
  const npmFolder = set("npm_lifecycle_event") === undefined ? undefined : set("INIT_CWD");
  const caller = set("OPSPAWN_CWD") ?? npmFolder ?? folder;
  const data = set("OPSPAWN_DATA");
  return {
    program: set("npm_lifecycle_event") === NPM_SCRIPT ? `npm run -s ${NPM_SCRIPT} --` : "opspawn",
    folder: caller,
    url: set("OPSPAWN_URL", "OPSCORE_API_URL") ?? DEFAULT_URL,
    key: set("OPSPAWN_API_KEY", "OPSCORE_API_KEY") ?? null,
    data: resolve(caller, data ?? DEFAULT_DATA),
    isDataChosen: data !== undefined,
    isColourWanted: set("NO_COLOR") === undefined && env.TERM !== "dumb",
    environment: env,
  };
}
