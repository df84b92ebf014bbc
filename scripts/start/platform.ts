import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { OpspawnClient } from "@opspawn/sdk";
import { LogFile } from "./log-file.ts";
import { isAlive, type StartMemory } from "./memory.ts";
import { freePort, HOST, isFree } from "./ports.ts";
import { type Ending, repositoryPath, Service } from "./service.ts";
import { StartError } from "./start-error.ts";

/** The platform as a process of its own. */
export interface Platform {
  readonly service: Service;
  readonly url: string;
  readonly port: number;
  readonly client: OpspawnClient;
}

export interface PlatformOptions {
  readonly data: string;
  /** Null = 8000, or another when that is taken. */
  readonly port: number | null;
  /** Of an earlier start. */
  readonly last: StartMemory;
  readonly onTrouble: (message: string) => void;
}

const DEFAULT_PORT = 8_000;
/** The server's own words for why it ended (its exit codes). */
const ADDRESS_TAKEN = 3;
const DATA_TAKEN = 7;
/** Milliseconds an earlier run may take to stop before we say that it is in the way. */
const EARLIER_RUN_STOPS_WITHIN = 15_000;
const LOOK_AGAIN_AFTER = 500;

/** Starts the platform and waits until it serves. Throws StartError. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const until = performance.now() + EARLIER_RUN_STOPS_WITHIN;
  for (;;) {
    const port = await choosePort(options);
    const service = serviceAt(port, options);
    const ending = await service.start();
    if (ending === null) return connect(service, port, options.data);
    // A run that was killed a moment ago may still be letting go of its data and its port.
    const isPassing =
      (ending.code === DATA_TAKEN && !isAlive(options.last.starter)) ||
      (ending.code === ADDRESS_TAKEN && options.port === null);
    if (!isPassing || performance.now() > until) throw failure(ending, service, options.data);
    await wait(LOOK_AGAIN_AFTER);
  }
}

async function choosePort({ port, last }: PlatformOptions): Promise<number> {
  if (port !== null) return port === 0 ? freePort([]) : port;
  const until = performance.now() + EARLIER_RUN_STOPS_WITHIN;
  while (isStopping(last) && !(await isFree(last.port ?? DEFAULT_PORT)) && performance.now() < until) {
    await wait(LOOK_AGAIN_AFTER);
  }
  return freePort([DEFAULT_PORT, last.port ?? DEFAULT_PORT + 1, DEFAULT_PORT + 2]);
}

/** The earlier start was killed, and its platform has not ended yet: its port will be free in a moment. */
function isStopping({ platform, starter }: StartMemory): boolean {
  return isAlive(platform) && !isAlive(starter);
}

function serviceAt(port: number, { data, onTrouble }: PlatformOptions): Service {
  return new Service({
    name: "the platform",
    script: repositoryPath("packages/ops-core/src/main.ts"),
    args: ["--host", HOST, "--port", String(port), "--data", data],
    // Settings are looked for where the process stands: those of a server of yours do not belong in the demonstration.
    cwd: data,
    log: new LogFile(path.join(data, "logs", "platform.log")),
    // Its own word: on a port that is taken, somebody else might answer.
    isReady: async (told) => told.some((message) => "listening" in Object(message)),
    stopWithin: 12_000,
    onTrouble,
  });
}

async function connect(service: Service, port: number, data: string): Promise<Platform> {
  const url = `http://${HOST}:${port}`;
  const keyFile = path.join(data, "admin.key");
  if (!existsSync(keyFile)) {
    await service.stop();
    throw new StartError(`${keyFile} is gone, and with it the key to this data. Use another folder: --data FOLDER`);
  }
  const client = new OpspawnClient({ baseUrl: url, apiKey: readFileSync(keyFile, "utf8").trim() });
  return { service, url, port, client };
}

function failure({ code, signal }: Ending, { spec: { log, args } }: Service, data: string): StartError {
  if (code === DATA_TAKEN) {
    return new StartError(
      `Another server is using ${data}, such as an npm start in another terminal.\n` +
        "Stop that one, or give this one a folder of its own: npm start -- --data FOLDER",
    );
  }
  if (code === ADDRESS_TAKEN) {
    return new StartError(`Port ${args[3]} is taken. Choose another: npm start -- --port N, or leave --port out.`);
  }
  const how = signal === null ? `status ${code ?? "none"}` : signal;
  return new StartError(
    [
      `The platform did not start (${how}). The end of its log, ${log.path}:`,
      ...log.tail().map((text) => `  ${text}`),
      `If its data is damaged, start with a new folder (--data FOLDER), or remove ${data}.`,
    ].join("\n"),
  );
}
