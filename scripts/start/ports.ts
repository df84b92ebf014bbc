import { createServer } from "node:net";

export const HOST = "127.0.0.1";

/** Whether a port could be listened on just now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

/** The first of these ports that is free; else one that the system chooses. */
export async function freePort(wanted: Iterable<number>): Promise<number> {
  for (const port of wanted) if (port > 0 && (await isFree(port))) return port;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
