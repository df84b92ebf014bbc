import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { isLoopbackHost } from "./auth/loopback.ts";
import { type ConfiguredTool, NO_FILE, readConfigFile } from "./config-file.ts";
import { ROLES, SETTINGS, type SettingName, type Settings } from "./config-settings.ts";
import type { Setting } from "./config-values.ts";

const CONFIG_FILE = "opspawn.yaml";
/** The key the originals fell back to; everybody knows it. */
const TEST_KEY = "test-api-key";

/** What the server runs with: read once, at start, and passed down as this one value. */
export interface Config extends Omit<Settings, "data"> {
  /** Absolute path of the data folder; null = nothing is kept, everything is in memory. */
  readonly data: string | null;
  /** True when only this machine can reach the server. */
  readonly isLoopback: boolean;
  /** Tools of `opspawn.yaml`. */
  readonly tools: readonly ConfiguredTool[];
}

/** Everything that is wrong with the settings, each with what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  /** Command line, without the program's name. */
  readonly argv: readonly string[];
  /** Default: the process's. */
  readonly env?: Environment;
  /** Where `.env` and `opspawn.yaml` are looked for. */
  readonly cwd: string;
}

/**
 * Reads the settings: command line, then environment, then `.env`, then `opspawn.yaml`, then defaults. An empty
 * variable counts as not set.
 * @throws ConfigError with every problem found
 */
export function loadConfig({ argv, env = process.env, cwd }: ConfigSources): Config {
  const problems: string[] = [];
  const complain = (problem: string): void => void problems.push(problem);
  const flags = readFlags(argv);
  const variables = { ...readDotEnv(cwd), ...withoutEmpty(env) };
  const file = readFile(flags.config, variables, cwd, complain);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    values[name] = judge(setting, { flags, variables, file: file.server }, complain);
  }
  const config = assemble(values as Settings, file.tools, cwd);
  for (const problem of [...refused(variables), ...conflicts(config)]) complain(problem);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

type Flags = Readonly<Record<string, string | undefined>>;

function readFlags(argv: readonly string[]): Flags {
  const names = Object.values(SETTINGS as Record<string, Setting<unknown>>).flatMap(({ flag }) => flag ?? []);
  const options = Object.fromEntries([...names, "config"].map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values as Flags;
  } catch (error) {
    throw new ConfigError([`${error instanceof Error ? error.message : error} See --help.`]);
  }
}

function readDotEnv(cwd: string): Environment {
  const text = readText(join(cwd, ".env"));
  return text === null ? {} : withoutEmpty(parseEnv(text) as Environment);
}

function readFile(flag: string | undefined, env: Environment, cwd: string, complain: (problem: string) => void) {
  const named = flag ?? env.OPSPAWN_CONFIG;
  const path = resolve(cwd, named ?? CONFIG_FILE);
  const text = readText(path);
  if (text === null) {
    if (named !== undefined) complain(`There is no configuration file ${path}.`);
    return NO_FILE;
  }
  const known = Object.values(SETTINGS as Record<string, Setting<unknown>>).flatMap(({ yaml }) => yaml ?? []);
  return readConfigFile(text, known, (problem) => complain(`${path}: ${problem}`));
}

interface Given {
  readonly flags: Flags;
  readonly variables: Environment;
  readonly file: ReadonlyMap<string, string>;
}

function judge(setting: Setting<unknown>, given: Given, complain: (problem: string) => void): unknown {
  const found = find(setting, given);
  if (found === undefined) return setting.fallback;
  const value = setting.read(found.text);
  if (value !== null) return value;
  complain(`${found.name}: ${setting.isSecret ? "the value" : `"${found.text}"`} ${setting.rule}.`);
  return setting.fallback;
}

/** Where a setting was given, first place first. */
function find(setting: Setting<unknown>, given: Given): { name: string; text: string } | undefined {
  const flagged = setting.flag === undefined ? undefined : given.flags[setting.flag];
  if (flagged !== undefined) return { name: `--${setting.flag}`, text: flagged };
  for (const name of setting.env) {
    const text = given.variables[name];
    if (text !== undefined) return { name, text };
  }
  const text = setting.yaml === undefined ? undefined : given.file.get(setting.yaml);
  return text === undefined || text === "" ? undefined : { name: `server.${setting.yaml}`, text };
}

function assemble(settings: Settings, tools: readonly ConfiguredTool[], cwd: string): Config {
  const data = settings.data === ":memory:" ? null : resolve(cwd, settings.data);
  const agentkitUrl = isOwnAddress(settings) ? null : settings.agentkitUrl;
  const isChosen = settings.roles !== SETTINGS.roles.fallback;
  // An AgentKit elsewhere takes this role away, unless roles were named.
  const roles = isChosen || agentkitUrl === null ? settings.roles : ROLES.filter((role) => role !== "agentkit");
  return { ...settings, data, tools, agentkitUrl, roles, isLoopback: isLoopbackHost(settings.host) };
}

/** Agents are told where AgentKit is by the same variable, so it may well name ourselves. */
function isOwnAddress({ agentkitUrl, host, port }: Settings): boolean {
  const url = agentkitUrl === null ? null : URL.parse(agentkitUrl);
  if (url === null) return false;
  const samePort = Number(url.port || (url.protocol === "https:" ? 443 : 80)) === port;
  return samePort && (url.hostname === host || isLoopbackHost(url.hostname));
}

/** Settings of the originals that we do not do, with what to use instead. */
function* refused(env: Environment): Iterable<string> {
  const storage = env.OPSCORE_STORAGE_TYPE?.toLowerCase();
  if (storage !== undefined && !["inmemory", "memory", "sql", "sqlite"].includes(storage)) {
    yield `OPSCORE_STORAGE_TYPE: "${storage}" is not supported. Remove it: data is kept in SQLite, in the folder of OPSPAWN_DATA, without any other service.`;
  }
  if (env.DATABASE_URL !== undefined) {
    yield "DATABASE_URL: other databases are not supported by this version. Remove it: data is kept in SQLite, in the folder of OPSPAWN_DATA.";
  }
  const chroma = ["AGENTKIT_LTM_CHROMA_PATH", "AGENTKIT_LTM_CHROMA_COLLECTION"].filter(
    (name) => env[name] !== undefined,
  );
  if (env.AGENTKIT_LTM_PROVIDER?.toLowerCase() === "chroma") chroma.unshift("AGENTKIT_LTM_PROVIDER");
  for (const name of chroma) yield `${name}: Chroma is not supported. Remove it: memory is kept in SQLite as well.`;
}

function* conflicts(config: Config): Iterable<string> {
  if (config.operatorKey?.reveal() === TEST_KEY && !config.isLoopback) {
    yield `OPSCORE_API_KEY: "${TEST_KEY}" is known to everybody and accepted on a loopback address only. Choose a key of your own, or set OPSPAWN_HOST=127.0.0.1.`;
  }
  if (config.roles.includes("agentkit") && config.agentkitUrl !== null) {
    yield "OPSPAWN_ROLE: this process serves AgentKit itself, so AGENTKIT_API_URL has no meaning. Remove one of the two.";
  }
}

function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, text]) => text !== undefined && text !== ""));
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new ConfigError([`${path} cannot be read: ${error instanceof Error ? error.message : error}.`]);
  }
}
