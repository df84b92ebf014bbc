import assert from "node:assert/strict";
import { type AddressInfo, connect } from "node:net";
import type { FastifyInstance } from "fastify";
import type { LogFields } from "../domain/log.ts";
import { createServer } from "./server.ts";

/** A server for tests, whose every request is `req-1` and takes 1.5 ms; `errors` collects what it logs as such. */
export function testServer(): { readonly app: FastifyInstance; readonly errors: LogFields[] } {
  const errors: LogFields[] = [];
  const drop = () => undefined;
  const log = { debug: drop, info: drop, warn: drop, error: (fields: LogFields) => void errors.push(fields) };
  let now = 0;
  const elapsed = () => {
    now += 1.5;
    return now;
  };
  return { app: createServer({ log, elapsed, requestId: () => "req-1" }), errors };
}

type Answer = Awaited<ReturnType<FastifyInstance["inject"]>>;

export function expectError(answer: Answer, status: number, code: string, body: unknown): void {
  assert.equal(answer.statusCode, status);
  assert.equal(answer.headers["x-error-code"], code);
  assert.deepEqual(JSON.parse(answer.body), body);
  expectHeaders(answer);
}

export function expectHeaders(answer: Answer): void {
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(answer.headers["x-request-id"], "req-1");
  assert.match(String(answer.headers["x-process-time"]), /^\d+\.\d{6}$/);
}

export function originOf(app: FastifyInstance): string {
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

/** Sends bytes as they are; resolves with all that came back when it matches `until` or the connection closes. */
export function exchange(app: FastifyInstance, parts: readonly string[], until = /$^/): Promise<string> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part, "latin1");
    });
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
      if (until.test(answer)) socket.destroy();
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}
