import path from "node:path";
import { LogFile } from "./log-file.ts";
import { freePort, HOST } from "./ports.ts";
import { repositoryPath, Service } from "./service.ts";
import { StartError } from "./start-error.ts";

const AGENTS = ["splitter-and-reporter", "analyst", "link-checker"] as const;

export interface ExampleAgent {
  readonly name: string;
  readonly port: number;
  readonly service: Service;
}

export interface AgentsOptions {
  readonly data: string;
  /** Of the platform. */
  readonly url: string;
  /** Of an earlier start, by name: the platform may still hold work for an agent there. */
  readonly lastPorts: Readonly<Record<string, number>>;
  /** Folders the link checker may look into. */
  readonly roots: readonly string[];
  /** Seconds. */
  readonly pace: number;
  readonly onTrouble: (message: string) => void;
}

/** Starts the example's agents, each as a process of its own, and waits until each is registered. Throws StartError. */
export async function startAgents(options: AgentsOptions): Promise<readonly ExampleAgent[]> {
  const agents: ExampleAgent[] = [];
  for (const name of AGENTS) {
    // One after the other: two that look at the same time could both find the same port free.
    const port = await freePort(
      [options.lastPorts[name] ?? 0].filter((last) => !agents.some(({ port }) => port === last)),
    );
    agents.push({ name, port, service: serviceOf(name, port, options) });
  }
  const started = await Promise.all(agents.map(async ({ service }) => ({ service, ending: await service.start() })));
  const failed = started.find(({ ending }) => ending !== null);
  if (failed === undefined) return agents;
  await Promise.all(agents.map(({ service }) => service.stop()));
  const { name, log } = failed.service.spec;
  const tail = log.tail().map((text) => `  ${text}`);
  throw new StartError([`${name} did not start. The end of its log, ${log.path}:`, ...tail].join("\n"));
}

/** An agent answers 200 once it is registered. */
async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${HOST}:${port}/health`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

function serviceOf(name: string, port: number, { data, url, roots, pace, onTrouble }: AgentsOptions): Service {
  return new Service({
    name,
    script: repositoryPath(`examples/document-report/${name}.ts`),
    args: [
      ...["--platform", url, "--port", String(port), "--data", path.join(data, "agents"), "--pace", String(pace)],
      ...roots.flatMap((root) => ["--root", root]),
    ],
    cwd: repositoryPath("."),
    log: new LogFile(path.join(data, "logs", `${name}.log`)),
    isReady: () => isHealthy(port),
    stopWithin: 8_000,
    onTrouble,
  });
}
