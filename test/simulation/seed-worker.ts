// The thread of `SeedThread`: a seed comes in, what was simulated goes out.
import { parentPort } from "node:worker_threads";
import { simulate } from "./scenario.ts";

parentPort?.on("message", async (seed: number) => {
  parentPort?.postMessage(await simulate(seed));
});
