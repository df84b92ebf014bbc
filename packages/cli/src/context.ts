import type { Command } from "commander";
import { Call, type GlobalOptions } from "./call.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";

/** What the body of a command is given: the call, then its arguments, then its options. */
type Body<Args extends unknown[]> = (call: Call, ...args: Args) => Promise<ExitCode> | Promise<void>;

/** Ties commands to the world they run in and collects how they ended. */
export class Context {
  readonly io: Io;
  exitCode: ExitCode = EXIT.ok;

  constructor(io: Io) {
    this.io = io;
  }

  /** Makes an action of a command's body. What goes wrong is told with the key in mind that was sent. */
  action<Args extends unknown[]>(body: Body<Args>): (...given: unknown[]) => Promise<void> {
    return async (...given) => {
      const command = given.at(-1) as Command;
      const call = new Call(this.io, command.optsWithGlobals<GlobalOptions & Record<string, never>>());
      try {
        const ended = await body(call, ...(given.slice(0, -1) as Args));
        this.exitCode = typeof ended === "number" ? ended : EXIT.ok;
      } catch (error) {
        throw call.explainRefusal(error);
      }
    };
  }
}

/** A noun: a command whose subcommands do things. */
export function noun(program: Command, name: string, summary: string, examples: readonly string[]): Command {
  return withExamples(program.command(name).description(summary), examples);
}

/** Shows how a command is used, below its help. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", `\n${title}\n${examples.map((line) => `  $ opspawn ${line}`).join("\n")}`);
}
