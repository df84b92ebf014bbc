import type { Product } from "../harness/product.ts";

export interface Session {
  readonly sessionId: string;
  readonly status: string;
  readonly error: { readonly message: string } | null;
  readonly endedAt: string | null;
}

/** Starts a session of a workflow given inline, and waits for its end. @throws Error unless it completes */
export async function runSession(product: Product, workflow: object, input: object = {}): Promise<Session> {
  const { sessionId } = await product.call<Session>("POST", "/v1/opscore/sessions", { workflow, input });
  for (;;) {
    const session = await product.call<Session>("GET", `/v1/opscore/sessions/${sessionId}?wait=30s`);
    if (session.status === "completed") return session;
    if (session.endedAt !== null) throw new Error(`the session ${session.status}: ${session.error?.message}`);
  }
}
