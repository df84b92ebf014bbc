import { Client, type Dispatcher } from "undici";

/**
 * Keep-alive connections of undici to one origin; the one used last is used first. A stack of its clients, because its
 * own pool looks through all connections for every request.
 */
export class UndiciConnections {
  readonly #origin: string;
  readonly #free: Client[] = [];

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Sends a POST and reads the whole answer. @param done called with null, or with why there is no answer */
  post(path: string, headers: readonly string[], body: string, done: (error: Error | null) => void): void {
    const client = this.#free.pop() ?? this.#open();
    const exchange = new Exchange((error) => {
      this.#free.push(client);
      done(error);
    });
    client.dispatch({ method: "POST", path, headers: headers as string[], body }, exchange);
  }

  #open(): Client {
    return new Client(this.#origin, { headersTimeout: 0, bodyTimeout: 0, allowH2: false });
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #done: (error: Error | null) => void;

  constructor(done: (error: Error | null) => void) {
    this.#done = done;
  }

  onRequestStart(): void {}

  onResponseStart(): void {}

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#done(null);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#done(error);
  }
}
