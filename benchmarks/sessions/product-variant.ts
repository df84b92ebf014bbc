import { Product, type ProductOptions } from "../harness/product.ts";
import type { Agents } from "./agents.ts";
import { SessionClient } from "./client.ts";
import type { Variant } from "./round.ts";
import { STEPS, WORKFLOW } from "./workload.ts";

const MAX_CONCURRENCY = 256;

export interface ProductVariant extends Variant {
  readonly product: Product;
  /** The key of a client that may start and read sessions, and nothing else. */
  readonly clientKey: string;
}

/** Starts the product on a fresh data folder, with the workflow applied, the agents registered and a client's key. */
export async function startProduct(agents: Agents, options: ProductOptions): Promise<ProductVariant> {
  const product = await Product.start(options);
  await product.call("POST", "/v1/opscore/workflows", { definition: WORKFLOW });
  const keys: string[] = [];
  for (const [i, step] of STEPS.entries()) {
    const { agentKey } = await product.call<{ agentKey: string }>("POST", "/v1/opscore/agents", {
      agentName: `bench-${step}`,
      capabilities: [step],
      contactEndpoint: agents.endpoints[i],
      maxConcurrency: MAX_CONCURRENCY,
    });
    keys.push(agentKey);
  }
  const { secret } = await product.call<{ secret: string }>("POST", "/v1/opscore/keys", {
    name: "bench-client",
    scopes: ["sessions:write", "sessions:read"],
  });
  agents.workFor(product.origin, keys);
  const client = new SessionClient(product.origin, secret);
  return {
    name: "product",
    client,
    product,
    clientKey: secret,
    origin: product.origin,
    pid: product.pid,
    stop: async () => {
      client.close();
      await agents.leave(product.origin);
      await product.stop();
    },
  };
}
