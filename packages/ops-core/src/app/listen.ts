import type { FastifyInstance } from "fastify";

/** The address cannot be listened on; `message` says what to do. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another program. Stop it, or choose another port with --port (0 takes any free one)",
  EACCES: "may not be used by this user. Choose a port above 1023 with --port",
  EADDRNOTAVAIL: "is no address of this machine. Choose one with --host",
  ENOTFOUND: "is no address of this machine. Choose one with --host",
};

/**
 * Starts to listen.
 * @returns the port, which is another than asked for when that was 0
 * @throws AddressError
 */
export async function listen(http: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = REASONS[code];
    throw reason === undefined ? error : new AddressError(`${urlHost(host)}:${port} ${reason}.`, { cause: error });
  }
  const address = http.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** A host as it stands in a URL; an address that means every network stands for this machine. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "[::1]" : urlHost(host);
}

function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
