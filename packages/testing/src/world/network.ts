import type { HttpClient, HttpPost, HttpResult } from "@opspawn/ops-core/testing";
import { broken, type Host, unsent } from "./exchange.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** All that can be called in this world, by address. */
export class Network {
  readonly #time: VirtualTime;
  readonly #hosts = new Map<string, Host>();
  /** Whether the answer of an exchange is lost. */
  losesAnswer: () => boolean = () => false;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** @param url as the server will call it */
  add(url: string, host: Host): void {
    this.#hosts.set(url, host);
  }

  /** The way out of one life of the server: what is under way when it dies goes on without it. */
  client(isAlive: () => boolean): HttpClient {
    return { post: (request) => new Promise((resolve) => isAlive() && this.#begin(request, isAlive, resolve)) };
  }

  #begin(request: HttpPost, isAlive: () => boolean, resolve: (result: HttpResult) => void): void {
    const late = (): void => end(broken("timeout", "No answer came in time."));
    const cancel = request.deadline === undefined ? null : this.#time.after(request.deadline * 1_000, late);
    const abort = (): void => end(broken("aborted", "The exchange was given up."));
    let isOver = false;
    const end = (result: HttpResult): void => {
      if (isOver) return;
      isOver = true;
      cancel?.();
      request.signal?.removeEventListener("abort", abort);
      if (isAlive()) resolve(result);
    };
    request.signal?.addEventListener("abort", abort, { once: true });
    const host = this.#hosts.get(request.url);
    if (host === undefined) {
      end(unsent(`Nobody listens at ${request.url}.`));
      return;
    }
    void host.receive(request).then((result) => {
      const isLost = result.kind === "response" && this.losesAnswer();
      end(isLost ? broken("connection_lost", "The answer was lost.") : result);
    });
  }
}
