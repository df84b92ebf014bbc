import path from "node:path";
import { parseArgs } from "node:util";

export interface AgentArguments {
  /** Where the platform answers. */
  readonly platform: string;
  /** The agent's own port; 0 takes any that is free. */
  readonly port: number;
  /** The folder where the agent keeps its key over restarts. */
  readonly data: string;
  /** Seconds to wait before each task, so that a person can watch, or stop something, while work is under way. */
  readonly pace: number;
  /** The folders whose files may be looked at. */
  readonly roots: readonly string[];
}

/** What all three agents are started with: `--platform URL --port N --data DIR --pace SECONDS --root DIR ...`. */
export function readAgentArguments(argv = process.argv.slice(2)): AgentArguments {
  const { values } = parseArgs({
    args: argv,
    options: {
      platform: { type: "string", default: "http://127.0.0.1:8000" },
      port: { type: "string", default: "0" },
      data: { type: "string", default: path.join(".opspawn", "agents") },
      pace: { type: "string", default: "0" },
      root: { type: "string", multiple: true, default: [] },
    },
  });
  return {
    platform: values.platform,
    port: Number(values.port),
    data: values.data,
    pace: Number(values.pace),
    roots: values.root,
  };
}
