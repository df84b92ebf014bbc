import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
}

export interface WireCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands. */
  readonly body?: string | Uint8Array;
}

/** One connection that is kept, as the originals' clients keep theirs. */
const connection = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends exactly this to a path below the address, and follows no redirect. */
export function send(base: string, method: string, path: string, call: WireCall = {}): Promise<WireAnswer> {
  const url = new URL(base);
  const full = url.pathname.replace(/\/$/, "") + path;
  const length = call.body === undefined ? {} : { "content-length": String(Buffer.byteLength(call.body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: url.hostname,
        port: url.port,
        method,
        path: full,
        headers: { ...length, ...call.headers },
        agent: connection,
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("error", reject).on("end", () => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parse(text) });
        });
      },
    );
    outgoing.on("error", reject).end(call.body);
  });
}

export function closeConnections(): void {
  connection.destroy();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
