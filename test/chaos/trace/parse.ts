/** A system call of the server that matters here. Lines of the trace are its clock: `begin` and `end` count them. */
export interface SystemCall {
  readonly kind: "log-write" | "log-sync" | "send";
  readonly begin: number;
  readonly end: number;
  /** What was written, as far as the trace shows it. */
  readonly text: string;
}

const CALL = /^(\d+) +\S+ (\w+)\((.*)$/;
const RESUMED = /^(\d+) +\S+ <\.\.\. (\w+) resumed>/;
const UNFINISHED = "<unfinished ...>";
const SYNCS = new Set(["fsync", "fdatasync"]);

/** Reads the output of `strace -f -tt -yy`. */
export function parseTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  /** By thread: the call that has begun and not returned. */
  const open = new Map<string, Omit<SystemCall, "end">>();
  for (const [line, text] of trace.split("\n").entries()) {
    const resumed = RESUMED.exec(text);
    if (resumed !== null) {
      const begun = open.get(resumed[1] ?? "");
      if (begun !== undefined) calls.push({ ...begun, end: line });
      open.delete(resumed[1] ?? "");
      continue;
    }
    const [, thread = "", name = "", args = ""] = CALL.exec(text) ?? [];
    const kind = kindOf(name, args);
    if (kind === null) continue;
    const call = { kind, begin: line, text: args.replaceAll('\\"', '"') };
    if (args.endsWith(UNFINISHED)) open.set(thread, call);
    else calls.push({ ...call, end: line });
  }
  return calls.sort((a, b) => a.begin - b.begin);
}

/** The first argument is the file, with its name in angle brackets. */
function kindOf(name: string, args: string): SystemCall["kind"] | null {
  const file = /^\d+<([^>]*(?:->[^>]*)?)>/.exec(args)?.[1] ?? "";
  if (file.endsWith("-wal")) return SYNCS.has(name) ? "log-sync" : "log-write";
  return file.startsWith("TCP") && !SYNCS.has(name) ? "send" : null;
}
