import assert from "node:assert/strict";
import { afterEach, beforeEach } from "node:test";
import { FakeServer } from "@opspawn/sdk/testing";
import { FakeIo, type Ran } from "./fake-io.ts";

/** A command line whose server answers what it is told to. Each test of the file that asks for it gets both anew. */
export class FakeCli {
  #server: FakeServer | undefined;
  #io: FakeIo | undefined;

  /** @param age microseconds by which its clock is ahead of the samples' times */
  constructor(age = 0) {
    beforeEach(async () => {
      this.#server = await FakeServer.start();
      this.#io = new FakeIo();
      this.#io.clock.advance(age);
    });
    afterEach(async () => {
      this.io.remove();
      await this.server.close();
    });
  }

  get server(): FakeServer {
    assert.ok(this.#server, "there is one while a test runs");
    return this.#server;
  }

  get io(): FakeIo {
    assert.ok(this.#io, "there is one while a test runs");
    return this.#io;
  }

  /** Runs a command line against the server. */
  readonly run = (...argv: string[]): Promise<Ran> => this.io.run([...argv, "--url", this.server.baseUrl]);

  /** As `run`, for one that goes well: what it prints. */
  readonly stdoutOf = async (...argv: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await this.run(...argv);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
}
