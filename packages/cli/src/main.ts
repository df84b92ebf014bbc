#!/usr/bin/env node
import { text } from "node:stream/consumers";
import { systemChance, systemClock } from "@opspawn/sdk";
import { readSettings } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import type { Io, Sink } from "./io.ts";
import { run } from "./program.ts";
import { startServer } from "./server.ts";

const DEFAULT_COLUMNS = 80;

function sink(stream: NodeJS.WriteStream): Sink {
  // The reader has seen enough (`| head`): that is no failure of ours, and nobody is left to tell.
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failure));
  return { write: (data) => void stream.write(data), isTerminal: stream.isTTY === true };
}

let interrupted: AbortController | undefined;

/** The first Ctrl-C asks, the second one ends the process as if nobody had listened. */
function interrupt(): AbortSignal {
  if (interrupted === undefined) {
    const controller = new AbortController();
    interrupted = controller;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  }
  return interrupted.signal;
}

const io: Io = {
  stdout: sink(process.stdout),
  stderr: sink(process.stderr),
  readStdin: () => text(process.stdin),
  columns: process.stdout.columns || DEFAULT_COLUMNS,
  settings: readSettings(),
  clock: systemClock,
  chance: systemChance,
  fetch,
  interrupt,
  startServer,
};

process.exitCode = await run(process.argv.slice(2), io);
