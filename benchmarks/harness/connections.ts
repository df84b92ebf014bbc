import { connect, type Socket } from "node:net";

export interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Name, value, name, value ... */
  readonly headers: readonly string[];
  readonly body: string | null;
}

export interface Answer {
  readonly status: number;
  /** The status line and the headers, as they came. */
  readonly head: string;
  readonly body: string;
}

/**
 * Keep-alive connections to one origin, each with one request at a time; the one used last is used first. A load
 * generator should cost as little as it can, so this writes and reads HTTP/1.1 itself: answers must have a
 * `content-length`, as those of the servers measured here have.
 */
export class Connections {
  readonly #host: string;
  readonly #port: number;
  readonly #all = new Set<Connection>();
  readonly #free: Connection[] = [];
  /** Called with everything that was sent and how it was answered; null = nobody looks. */
  onExchange: ((request: Request, answer: Answer) => void) | null = null;

  constructor(origin: string) {
    const { hostname, port } = new URL(origin);
    this.#host = hostname;
    this.#port = Number(port);
  }

  /** Sends a request and reads the whole answer; rejects when the connection fails. */
  send(request: Request): Promise<Answer> {
    const connection = this.#take();
    return new Promise((resolve, reject) => {
      connection.exchange(request, (error, answer) => {
        if (answer === null) return reject(error);
        this.#free.push(connection);
        this.onExchange?.(request, answer);
        resolve(answer);
      });
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #take(): Connection {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (free.isOpen) return free;
      this.#all.delete(free);
    }
    const connection = new Connection(this.#host, this.#port);
    this.#all.add(connection);
    return connection;
  }
}

type Done = (error: Error | null, answer: Answer | null) => void;

class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #done: Done | null = null;
  /** What came of an answer that is not whole yet. */
  #partial: Buffer | null = null;

  constructor(host: string, port: number) {
    this.#host = `${host}:${port}`;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", (error) => this.#settle(error, null));
    this.#socket.on("close", () => this.#settle(new Error("the server closed the connection"), null));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  exchange({ method, path, headers, body }: Request, done: Done): void {
    this.#done = done;
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nconnection: keep-alive\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    if (body === null) this.#socket.write(`${head}\r\n`);
    else this.#socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = bytes;
    const headEnd = bytes.indexOf("\r\n\r\n");
    if (headEnd === -1) return;
    const head = bytes.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    const end = headEnd + 4 + length;
    if (bytes.length < end) return;
    if (Number.isNaN(end)) this.#settle(new Error(`an answer without its length: ${head}`), null);
    this.#partial = null;
    const status = Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
    this.#settle(null, { status, head, body: bytes.toString("utf8", headEnd + 4, end) });
  }

  #settle(error: Error | null, answer: Answer | null): void {
    const done = this.#done;
    this.#done = null;
    if (answer === null) this.#socket.destroy();
    done?.(error, answer);
  }
}
