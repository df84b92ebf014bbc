import { OpspawnError } from "@opspawn/contract";
import { OpspawnApiError, OpspawnConnectionError, OpspawnWaitError } from "@opspawn/sdk";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** An error with what to do about it, and what the process ends with. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** A wrong argument. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, hint);
}

export interface Explanation {
  readonly message: string;
  /** Wrong places and what to do, a line each. */
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** What to tell of an error, whatever it is. */
export function explain(error: unknown): Explanation {
  if (error instanceof CliError) {
    return { message: error.message, lines: error.hint === undefined ? [] : [error.hint], exitCode: error.exitCode };
  }
  if (error instanceof OpspawnApiError) return explainAnswer(error);
  if (error instanceof OpspawnConnectionError) return { message: error.message, lines: [], exitCode: EXIT.failure };
  if (error instanceof OpspawnWaitError) {
    return {
      message: `${error.message}.`,
      lines: ["It goes on; wait for it again, or cancel it."],
      exitCode: EXIT.failure,
    };
  }
  if (error instanceof OpspawnError) {
    return { message: error.message, lines: (error.issues ?? []).map(issueLine), exitCode: EXIT.usage };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message: `Unexpected: ${message}`, lines: ["This is a defect of opspawn."], exitCode: EXIT.failure };
}

function explainAnswer(error: OpspawnApiError): Explanation {
  const message = error.issues.length > 0 ? "The server refused the request:" : error.detail;
  const trace = error.requestId === undefined ? "" : `, request ${error.requestId}`;
  // That help speaks of the answer's form; here its content stands right above.
  const help = error.help.includes("`detail`") ? "" : error.help;
  const lines = [...error.issues.map(issueLine), help, `(${error.status} ${error.code}${trace})`];
  return { message, lines: lines.filter((line) => line !== ""), exitCode: exitCodeOf(error.status) };
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.auth;
  return status === 404 ? EXIT.notFound : EXIT.failure;
}

function issueLine(issue: { readonly loc: readonly (string | number)[]; readonly msg: string }): string {
  return `  ${issue.loc.join(".")}: ${issue.msg}`;
}
