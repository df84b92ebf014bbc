import { resolve } from "node:path";
import { OpspawnApiError, OpspawnClient } from "@opspawn/sdk";
import { type Credentials, findKey } from "./credentials.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { type Format, Output } from "./output/output.ts";
import { createStyle, type Style } from "./output/style.ts";
import { plainLines } from "./output/text.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly key?: string;
  readonly data?: string;
  readonly output?: Format;
}

/** One command on its way: what it was told, and the means to do it. */
export class Call {
  readonly io: Io;
  readonly output: Output;
  /** For stderr. */
  readonly style: Style;
  /** The server's data folder, absolute. */
  readonly data: string;
  readonly url: string;
  readonly #options: GlobalOptions;
  #credentials: Credentials | undefined;
  #client: OpspawnClient | undefined;

  constructor(io: Io, options: GlobalOptions) {
    const { settings } = io;
    this.io = io;
    this.#options = options;
    this.url = options.url ?? settings.url;
    this.data = options.data === undefined ? settings.data : resolve(settings.folder, options.data);
    this.output = new Output(options.output ?? "table", io.stdout, io.columns, styleFor(io, io.stdout.isTerminal));
    this.style = styleFor(io, io.stderr.isTerminal);
  }

  /** True when a data folder was chosen, by option or environment. */
  get isDataChosen(): boolean {
    return this.#options.data !== undefined || this.io.settings.isDataChosen;
  }

  get client(): OpspawnClient {
    const { fetch, clock, chance } = this.io;
    this.#client ??= new OpspawnClient({ baseUrl: this.url, apiKey: this.#key, fetch, clock, chance });
    return this.#client;
  }

  /** Says something to the person, which is no data. */
  say(text: string): void {
    this.io.stderr.write(`${plainLines(text)}\n`);
  }

  /** Says once, however often it is called, that the server is waited for. */
  sayingOfOutage(): () => void {
    let isSaid = false;
    return () => {
      if (!isSaid) this.say("No answer from the server; trying again for a minute.");
      isSaid = true;
    };
  }

  /** Says that the events that follow are not those that were to come next. */
  sayingOfReset(): (reason: string) => void {
    return (reason) => {
      const why = reason === "expired" ? "What comes next was removed" : "The server has other data than it had";
      this.say(`${why}; what it keeps is told from the beginning.`);
    };
  }

  /** The same error, or one that says which key was refused and where a good one comes from. */
  explainRefusal(error: unknown): unknown {
    if (!(error instanceof OpspawnApiError) || (error.status !== 401 && error.status !== 403)) return error;
    const origin = this.#credentials?.origin ?? "";
    if (this.#key === undefined) {
      const hint =
        "Set OPSPAWN_API_KEY, or call from the folder that holds the server's .opspawn (or name it: --data).";
      return new CliError(EXIT.auth, `The server wants a key; none was found (looked at ${origin}).`, hint);
    }
    const what = error.status === 401 ? "is not valid" : "may not do this";
    const hint =
      error.status === 401
        ? "Is it a key of this server? The admin key is in its data folder, in admin.key."
        : "Use another key; `opspawn keys create --scope SCOPE` makes one.";
    return new CliError(EXIT.auth, `The key from ${origin} ${what}: ${error.detail}`, hint);
  }

  get #key(): string | undefined {
    this.#credentials ??= findKey(this.#options.key, this.url, this.data, this.io.settings);
    return this.#credentials.key ?? undefined;
  }
}

function styleFor(io: Io, isTerminal: boolean): Style {
  return createStyle(isTerminal && io.settings.isColourWanted);
}
