import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LogFile } from "./log-file.ts";
import { Service, type ServiceSpec } from "./service.ts";

describe("a process that shall run", () => {
  let folder: string;
  let services: Service[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "service-"));
    services = [];
  });

  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await rm(folder, { recursive: true });
  });

  async function service(code: string, spec: Partial<ServiceSpec> = {}): Promise<Service> {
    const script = path.join(folder, "child.mjs");
    await writeFile(script, code);
    const made = new Service({
      name: "child",
      script,
      args: [],
      cwd: folder,
      log: new LogFile(path.join(folder, "logs", "child.log")),
      isReady: () => Promise.resolve(true),
      stopWithin: 5_000,
      onTrouble: () => undefined,
      ...spec,
    });
    services.push(made);
    return made;
  }

  const STAY = "setInterval(() => undefined, 1000);";

  test("one that ends before it is ready is told with its status and its last words", async () => {
    const child = await service('console.log("no room"); process.exit(7);', { isReady: () => Promise.resolve(false) });
    assert.deepEqual(await child.start(), { code: 7, signal: null });
    assert.deepEqual(child.spec.log.tail(), ["no room"]);
  });

  test("one that dies is started again, and that is told", async () => {
    const told = Promise.withResolvers<string>();
    const child = await service(STAY, { onTrouble: told.resolve });
    assert.equal(await child.start(), null);
    const first = child.pid ?? assert.fail();
    process.kill(first, "SIGKILL");
    assert.equal(await told.promise, "child was ended by SIGKILL; starting it again");
    while (child.pid === first) await new Promise((resolve) => setImmediate(resolve));
  });

  test("one that does not stop when asked is made to", async () => {
    const ready = path.join(folder, "ready");
    const child = await service(
      `process.on("SIGTERM", () => undefined); ${STAY} (await import("node:fs")).writeFileSync("ready", "");`,
      { stopWithin: 50, isReady: async () => (await import("node:fs")).existsSync(ready) },
    );
    await child.start();
    await child.stop();
    const pid = child.pid ?? assert.fail();
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  test("it does not outlive us, even when we are killed", { timeout: 20_000 }, async () => {
    const child = path.join(folder, "child.mjs");
    const pidFile = path.join(folder, "pid");
    await writeFile(
      child,
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); ${STAY}`,
    );
    const parent = path.join(folder, "parent.mjs");
    const module = JSON.stringify(new URL("./service.ts", import.meta.url).href);
    const logModule = JSON.stringify(new URL("./log-file.ts", import.meta.url).href);
    await writeFile(
      parent,
      `import { existsSync } from "node:fs"; import { Service } from ${module}; import { LogFile } from ${logModule};
      const spec = { name: "child", script: ${JSON.stringify(child)}, args: [], cwd: ".", stopWithin: 1000 };
      const isReady = async () => existsSync(${JSON.stringify(pidFile)});
      await new Service({ ...spec, log: new LogFile("child.log"), isReady, onTrouble() {} }).start();
      process.kill(process.pid, "SIGKILL");`,
    );
    const run = spawn(process.execPath, ["--conditions=opspawn-source", parent], { cwd: folder, stdio: "ignore" });
    assert.deepEqual(await once(run, "exit"), [null, "SIGKILL"]);
    const pid = Number(await readFile(pidFile, "utf8"));
    const isAlive = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    // Bounded by the test's own time limit.
    while (isAlive()) await new Promise((resolve) => setImmediate(resolve));
  });

  test("settings of servers elsewhere do not reach it", async () => {
    process.env.OPSCORE_API_KEY = "secret";
    const child = await service("console.log(process.env.OPSCORE_API_KEY ?? 'none')", { isReady: async () => false });
    await child.start();
    delete process.env.OPSCORE_API_KEY;
    assert.deepEqual(child.spec.log.tail(), ["none"]);
  });
});
