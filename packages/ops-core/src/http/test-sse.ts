import { Agent, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { settled, type TestApp } from "../app/test-app.ts";

export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
}

/** A reader of server-sent events over a real connection, as simple as can be. */
export class SseReader {
  readonly response: IncomingMessage;
  text = "";
  isClosed = false;
  readonly #leave: () => void;

  private constructor(response: IncomingMessage, leave: () => void) {
    this.response = response;
    this.#leave = leave;
    response.setEncoding("utf8").on("data", (text: string) => {
      this.text += text;
    });
    response.on("close", () => {
      this.isClosed = true;
    });
  }

  /** @param key default: the operator's */
  static open(app: TestApp, path: string, headers: Record<string, string> = {}, key?: string): Promise<SseReader> {
    const { port } = app.app.http.server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const asked = request({
        port,
        host: "127.0.0.1",
        path,
        agent: new Agent({ keepAlive: false }),
        headers: {
          authorization: `Bearer ${key ?? "operator-key-of-the-tests"}`,
          accept: "text/event-stream",
          ...headers,
        },
      });
      asked.on("response", (response) => resolve(new SseReader(response, () => asked.destroy())));
      asked.on("error", reject).end();
    });
  }

  /** Waits until what came is `enough`; real time, but only as long as bytes need. */
  async until(enough: (reader: SseReader) => boolean): Promise<void> {
    while (!enough(this)) await settled();
  }

  get frames(): Frame[] {
    const whole = this.text.slice(0, this.text.lastIndexOf("\n\n") + 1);
    return whole.split("\n\n").flatMap((block) => (block.trim() === "" ? [] : [frameOf(block)]));
  }

  /** Of plain messages. */
  get messages(): Record<string, unknown>[] {
    return this.frames.flatMap(({ event, data }) =>
      event === undefined && data !== undefined ? [JSON.parse(data)] : [],
    );
  }

  leave(): void {
    this.#leave();
  }
}

function frameOf(block: string): Frame {
  const fields = block.split("\n").flatMap((line) => {
    if (line.startsWith(":")) return [["comment", line.slice(1).trim()]];
    const [name = "", ...rest] = line.split(": ");
    return line === "" ? [] : [[name, rest.join(": ")]];
  });
  return Object.fromEntries(fields) as Frame;
}
