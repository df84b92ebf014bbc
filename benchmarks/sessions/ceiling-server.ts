/**
 * The ceiling: what HTTP alone costs on this machine. It exchanges the same messages for a session as the product does,
 * in bare `node:http` and undici, and keeps nothing but a map in memory: no validation, no keys, no log, no disk.
 * Nothing of the product is imported here. Runs as a process of its own (see `ceiling.ts`).
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../harness/body.ts";
import { padded, type Shape, type Shapes } from "./shapes.ts";
import { UndiciConnections } from "./undici-connections.ts";

/** How this process is set up, by its parent. */
export interface CeilingSetUp {
  readonly shapes: Shapes;
  /** One per task of a session, in order. */
  readonly endpoints: readonly string[];
}

interface Session {
  readonly id: string;
  /** Tasks done. */
  done: number;
  /** The JSON text of the result before. */
  previous: string;
  waiter: ServerResponse | null;
}

interface Target {
  readonly connections: UndiciConnections;
  readonly path: string;
  readonly shape: Shape;
}

// As the product does, so that a `keep-alive` header of the same length is sent.
const KEEP_ALIVE_MS = 75_000;
const TASK_PATH = "/v1/opscore/tasks/task_";
const RESULT_END = "/result";
const SESSION_PATH = "/v1/opscore/sessions/";
const ID_ZEROS = "00000000-0000-7000-8000-000000000000";

class Ceiling {
  readonly #sessions = new Map<string, Session>();
  readonly #shapes: Shapes;
  readonly #targets: readonly Target[];
  #count = 0;
  origin = "";

  constructor({ shapes, endpoints }: CeilingSetUp) {
    this.#shapes = shapes;
    this.#targets = endpoints.flatMap((endpoint, i) => {
      const { origin, pathname } = new URL(endpoint);
      const shape = shapes.tasks[i];
      return shape === undefined ? [] : [{ connections: new UndiciConnections(origin), path: pathname, shape }];
    });
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? "";
    if (request.method === "GET") this.#wait(url, response);
    else readBody(request, (body) => this.#take(url, body, response));
  };

  #take(url: string, body: string, response: ServerResponse): void {
    if (url.endsWith(RESULT_END)) this.#accept(url.slice(TASK_PATH.length, -RESULT_END.length), body, response);
    else this.#start(body, response);
  }

  #start(body: string, response: ServerResponse): void {
    this.#count += 1;
    const digits = String(this.#count);
    const id = ID_ZEROS.slice(0, -digits.length) + digits;
    const session: Session = { id, done: 0, previous: member(body, "input"), waiter: null };
    this.#sessions.set(id, session);
    answer(response, 202, this.#shapes.started, `{"sessionId":"${id}","status":"running"}`);
    this.#deliver(session);
  }

  #accept(id: string, body: string, response: ServerResponse): void {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      response.writeHead(404).end();
      return;
    }
    session.done += 1;
    session.previous = member(body, "result");
    answer(response, 200, this.#shapes.accepted, `{"taskId":"task_${id}","status":"completed","accepted":true}`);
    if (session.done < this.#targets.length) this.#deliver(session);
    else if (session.waiter !== null) this.#end(session, session.waiter);
  }

  #wait(url: string, response: ServerResponse): void {
    const session = this.#sessions.get(url.slice(SESSION_PATH.length, url.indexOf("?")));
    if (session === undefined) response.writeHead(404).end();
    else if (session.done >= this.#targets.length) this.#end(session, response);
    else session.waiter = response;
  }

  #end(session: Session, response: ServerResponse): void {
    this.#sessions.delete(session.id);
    const body = `{"sessionId":"${session.id}","status":"completed","result":${session.previous}}`;
    answer(response, 200, this.#shapes.ended, body);
  }

  #deliver({ id, done, previous }: Session): void {
    const target = this.#targets[done];
    if (target === undefined) return;
    const payload = done === 0 ? previous : `{"previous":${previous}}`;
    const ticket = `{"taskId":"task_${id}","token":"${this.#shapes.token}","resultUrl":"${this.origin}/v1/opscore/tasks/task_${id}/result"}`;
    const body = padded(`{"payload":${payload},"opspawn":${ticket}}`, target.shape.bytes);
    const { path, shape, connections } = target;
    connections.post(path, shape.headers, body, giveUp);
  }
}

function giveUp(error: Error | null): void {
  if (error === null) return;
  process.stderr.write(`ceiling: a task was not delivered: ${error}\n`);
  process.exit(1);
}

/** The text of an object's last member. */
function member(object: string, name: string): string {
  return object.slice(object.indexOf(`"${name}":`) + name.length + 3, object.lastIndexOf("}"));
}

function answer(response: ServerResponse, status: number, shape: Shape, object: string): void {
  const body = padded(object, shape.bytes);
  response.writeHead(status, [...shape.headers, "content-length", String(body.length)]).end(body, "latin1");
}

/**
 * For comparison: a handler that does nothing. It answers as the product does, as many bytes under the same headers, but
 * it neither reads what was asked nor looks at it.
 */
function emptyHandler({ accepted, ended }: Shapes): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => answer(response, 200, request.method === "GET" ? ended : accepted, "{}");
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const [setUp] = (await once(process, "message")) as [CeilingSetUp];
const ceiling = new Ceiling(setUp);
ceiling.origin = await listen(ceiling.handle);
const empty = await listen(emptyHandler(setUp.shapes));
process.send?.({ origin: ceiling.origin, empty });
process.on("disconnect", () => process.exit());
