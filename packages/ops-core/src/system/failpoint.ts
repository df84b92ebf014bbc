import { writeSync } from "node:fs";
import type { ArmedFailpoint, Failpoint } from "../domain/failpoint.ts";

/** Kills this process, as `kill -9` does, when the armed point is reached for the `hit`-th time. */
export function killAt({ name, hit }: ArmedFailpoint, kill: () => void = killOurselves): Failpoint {
  let hits = 0;
  return (reached) => {
    if (reached !== name) return;
    hits += 1;
    if (hits !== hit) return;
    writeSync(process.stderr.fd, `failpoint ${name} reached, hit ${hit}\n`);
    kill();
  };
}

/** Nothing runs after this line: the signal has arrived when the call returns. */
function killOurselves(): void {
  process.kill(process.pid, "SIGKILL");
}
