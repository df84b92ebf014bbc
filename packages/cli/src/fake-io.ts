import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeClock, fakeChance, fakeClock } from "@opspawn/sdk/testing";
import { type Environment, readSettings } from "./config.ts";
import type { Io, Sink } from "./io.ts";
import { run } from "./program.ts";
import type { ServerStart } from "./server.ts";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeIoOptions {
  readonly env?: Environment;
  readonly stdin?: string;
  readonly isTerminal?: boolean;
  readonly columns?: number;
}

/** A place to run the command line in, without a process of its own. */
export class FakeIo {
  /** Where the caller stands. */
  readonly folder = mkdtempSync(join(tmpdir(), "opspawn-cli-"));
  readonly clock: FakeClock = fakeClock();
  interrupt = new AbortController();
  readonly servers: ServerStart[] = [];
  /** Runs while a started server is up. */
  whileServing: () => Promise<number> = () => Promise.resolve(0);
  /** Called with each text as it is written. */
  onWrite: (text: string) => void = () => {};

  /** Runs a command line, such as `["agents", "list"]`. */
  async run(argv: readonly string[], options: FakeIoOptions = {}): Promise<Ran> {
    const written = { stdout: "", stderr: "" };
    const sink = (name: keyof typeof written): Sink => ({
      isTerminal: options.isTerminal ?? false,
      write: (text) => {
        written[name] += text;
        this.onWrite(text);
      },
    });
    const io: Io = {
      stdout: sink("stdout"),
      stderr: sink("stderr"),
      readStdin: () => Promise.resolve(options.stdin ?? ""),
      columns: options.columns ?? 80,
      settings: readSettings(options.env ?? {}, this.folder),
      clock: this.clock,
      chance: fakeChance(),
      fetch,
      interrupt: () => this.interrupt.signal,
      startServer: (start) => {
        this.servers.push(start);
        return this.whileServing();
      },
    };
    return { exitCode: await run(argv, io), ...written };
  }

  /** Writes a file where the caller stands. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
