import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isJsonObject } from "@opspawn/contract";
import { OpspawnApiError, type OpspawnClient, type SessionDetail } from "@opspawn/sdk";
import { type ExampleAgent, startAgents } from "./agents.ts";
import { type Documents, kilobytes, readDocuments } from "./documents.ts";
import { recall, remember } from "./memory.ts";
import type { StartOptions } from "./options.ts";
import { type Platform, startPlatform } from "./platform.ts";
import type { Screen } from "./screen.ts";
import type { Service } from "./service.ts";
import { type Following, followSession } from "./session.ts";
import { StartError } from "./start-error.ts";

export interface RunContext {
  readonly repository: string;
  readonly screen: Screen;
  /** Aborts when the person wants to stop. */
  readonly signal: AbortSignal;
  /** Each process, as soon as it exists, so that it can be stopped whatever happens. */
  readonly services: Service[];
}

const WORKFLOW = "document-report";
/** Marks the sessions of this command among others on the same platform. */
const LABELS = { "started-by": "npm-start" };
/** Milliseconds after which a new session need not wait for an old one any more. */
const RESUMED_WITHIN = 180_000;
const OPEN_STATUSES = ["started", "running", "waiting"] as const;

/** Runs everything up to the report. True when the new session is completed with all its steps. */
export async function run(options: StartOptions, context: RunContext): Promise<boolean> {
  const { screen, signal, services, repository } = context;
  const documents = readDocuments(options.files, repository);
  makeFolder(options.data);
  const last = recall(options.data);
  const onTrouble = (message: string): void => screen.line(screen.paint("yellow", `  ! ${message}`));
  screen.line(screen.paint("bold", "Opspawn"));
  screen.line();

  const platform = await startPlatform({ data: options.data, port: options.port, last, onTrouble });
  services.push(platform.service);
  showPlatform(platform, options, screen);
  const unfinished = await findUnfinished(platform.client);
  const roots = [...new Set([documents.root, ...unfinished.flatMap(rootOf)])];
  const { data, pace } = options;
  // Before the agents, too: a kill may come at any time.
  const mine = { port: platform.port, platform: platform.service.pid ?? null, starter: process.pid };
  remember(data, { ...mine, agents: last.agents });
  const agents = await startAgents({ data, url: platform.url, lastPorts: last.agents, roots, pace, onTrouble });
  services.unshift(...agents.map(({ service }) => service));
  remember(data, { ...mine, agents: Object.fromEntries(agents.map(({ name, port }) => [name, port])) });
  showAgents(agents, screen);

  for (const session of unfinished) await finish(session.sessionId, { client: platform.client, screen, signal });
  if (signal.aborted) return false;
  const session = await start(platform.client, documents, screen, repository);
  const ended = await followSession(session, { client: platform.client, screen, signal });
  if (ended === undefined) {
    screen.line("  This session is not finished; the next start goes on with it.");
    return false;
  }
  showEnd(ended, screen);
  if (!options.once) showWhatNext(platform, ended, options, screen);
  return ended.status === "completed" && ended.failedSteps.length === 0;
}

function makeFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new StartError(`${data} cannot be the data folder (${reason}). Choose another: npm start -- --data FOLDER`);
  }
}

function showPlatform(platform: Platform, options: StartOptions, screen: Screen): void {
  const elsewhere = options.port === null && platform.port !== 8_000 ? "  (port 8000 is taken)" : "";
  item(screen, "platform", [
    `${platform.url}${elsewhere}`,
    `process ${platform.service.pid}, SQLite in ${short(options.data)}`,
  ]);
}

function showAgents(agents: readonly ExampleAgent[], screen: Screen): void {
  agents.forEach(({ name, port, service }, i) => {
    item(screen, i === 0 ? "agents" : "", [`${name} (port ${port}, process ${service.pid})`]);
  });
}

/** Sessions that the previous run left behind, oldest first. The server has taken them up already. */
async function findUnfinished(client: OpspawnClient): Promise<SessionDetail[]> {
  const found: SessionDetail[] = [];
  for (const status of OPEN_STATUSES) {
    for await (const { sessionId } of client.sessions.listAll({ status, label: "started-by=npm-start" })) {
      found.push(await client.sessions.get(sessionId));
    }
  }
  return found.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}

function rootOf({ input }: SessionDetail): string[] {
  const root = isJsonObject(input) ? input.root : undefined;
  return typeof root === "string" ? [root] : [];
}

async function finish(sessionId: string, following: Following): Promise<void> {
  const { screen, signal } = following;
  screen.line();
  screen.line(screen.paint("bold", `Resuming session ${sessionId}`));
  screen.line("  The previous start left it unfinished; from its first event:");
  screen.line();
  const patience = AbortSignal.any([signal, AbortSignal.timeout(RESUMED_WITHIN)]);
  const ended = await followSession(sessionId, { ...following, signal: patience });
  if (signal.aborted) return;
  screen.line(`\n  ${ended === undefined ? "It goes on meanwhile" : `It ended as ${ended.status}`}. Now a new one.\n`);
}

async function start(
  client: OpspawnClient,
  { root, files, leftOut }: Documents,
  screen: Screen,
  repository: string,
): Promise<string> {
  const definition = readFileSync(path.join(repository, "examples", WORKFLOW, "workflow.yaml"), "utf8");
  try {
    const { workflow } = await client.workflows.apply(definition);
    item(screen, "workflow", [`${workflow.id}, version ${workflow.version}: ${workflow.steps} steps`]);
  } catch (error) {
    if (!(error instanceof OpspawnApiError) || error.code !== "workflow_version_exists") throw error;
    throw new StartError(
      `examples/${WORKFLOW}/workflow.yaml was changed since it was applied: ${error.detail}\n` +
        "Give the changed definition a new `version`, then start again.",
    );
  }
  const size = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const names = files.length === 1 ? files[0]?.path : `${files[0]?.path} and ${files.length - 1} more files`;
  item(screen, "input", [
    `${names}, ${kilobytes(size)}${leftOut.length > 0 ? `; ${leftOut.length} more left out` : ""}`,
  ]);
  const input = { root, files: files.map(({ path: name, text }) => ({ path: name, text })) };
  const { sessionId } = await client.sessions.start({ workflowId: WORKFLOW, input, labels: LABELS });
  screen.line();
  screen.line(screen.paint("bold", `Session ${sessionId}`));
  screen.line();
  return sessionId;
}

function showEnd({ status, result, error, failedSteps }: SessionDetail, screen: Screen): void {
  screen.line();
  const markdown = isJsonObject(result) ? result.markdown : undefined;
  if (typeof markdown === "string") screen.line(markdown.replace(/[^\P{Cc}\n]/gu, ""));
  if (failedSteps.length > 0) screen.line(screen.paint("red", `These steps failed: ${failedSteps.join(", ")}.`));
  if (status !== "completed")
    screen.line(screen.paint("red", `The session ended as ${status}: ${error?.message ?? ""}`));
}

function showWhatNext({ url }: Platform, { sessionId }: SessionDetail, options: StartOptions, screen: Screen): void {
  const tell = (label: string, ...texts: string[]): void => item(screen, label, texts, 4);
  screen.line(screen.paint("bold", "Everything stays up."));
  screen.line();
  tell("API", `${url}/docs`);
  tell("CLI", ...cli(url, options, `sessions get ${sessionId}`));
  tell("logs", short(path.join(options.data, "logs")));
  tell(
    "stop",
    "Ctrl-C. Or kill -9 a process, or all: the work goes on, at once or at the",
    "next start (with --pace 3 there is time to try).",
  );
}

/** The command that shows something, on this platform; broken where it would not fit. */
function cli(url: string, { data }: StartOptions, command: string): string[] {
  const where = [
    ...(url.endsWith(":8000") ? [] : [`--url ${url}`]),
    ...(short(data) === ".opspawn" ? [] : [`--data ${short(data)}`]),
  ];
  const program = "npm run -s opspawn --";
  return where.length === 0 ? [`${program} ${command}`] : [`${program} ${where.join(" ")} \\`, `  ${command}`];
}

/** A label and what it says, in lines that line up. */
function item(screen: Screen, label: string, texts: readonly string[], width = 8): void {
  texts.forEach((text, i) => {
    screen.line(`  ${screen.paint("dim", (i === 0 ? label : "").padEnd(width))}  ${text}`);
  });
}

/** Relative where that is shorter. */
function short(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative || "." : file;
}
