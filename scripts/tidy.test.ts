import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import type { Exemption } from "./tidy/exemptions.ts";
import type { Tree } from "./tidy/finding.ts";
import { repositoryTree } from "./tidy/repository-tree.ts";
import { findUntidy, describe as line } from "./tidy/rules.ts";

const manifest = { version: "0.1.0", dependencies: { zod: "4.6.7" } };
const lock = {
  packages: {
    "": manifest,
    "packages/sdk": { version: "0.1.0" },
    "node_modules/zod": { version: "4.6.7", integrity: "sha512-x" },
  },
};
const clean: Record<string, string> = {
  "README.md": "# Read me\n\nSee [the style](STYLE.md#why-so) and [elsewhere](https://example.org/).\n",
  "STYLE.md": "# Style\n\n## Why so?\n",
  "package.json": JSON.stringify(manifest),
  "package-lock.json": JSON.stringify(lock),
  "packages/sdk/package.json": JSON.stringify({ version: "0.1.0" }),
};

/** What tidy says of a clean tree after these files were added or replaced, as `file:line [rule]`. */
function untidy(planted: Record<string, string>, exemptions: readonly Exemption[] = []): string[] {
  const texts: Record<string, string> = { ...clean, ...planted };
  const files = Object.keys(texts);
  const tree: Tree = { files, tracked: files, read: (file) => texts[file] ?? "" };
  return findUntidy(tree, exemptions).map(({ file, line: at, rule }) => `${file}${at ? `:${at}` : ""} [${rule}]`);
}

describe("this repository", () => {
  it("is tidy", () => {
    const findings = findUntidy(repositoryTree(path.dirname(import.meta.dirname)));
    assert.ok(findings.length === 0, `run npm run tidy\n${findings.map(line).join("\n")}`);
  });
});

it("finds nothing in a clean tree", () => {
  assert.deepEqual(untidy({}), []);
});

describe("layers", () => {
  const core = "packages/ops-core/src";
  const forbidden: readonly (readonly [string, string, string])[] = [
    ["contract imports the SDK", "packages/contract/src/errors.ts", 'import { client } from "@opspawn/sdk";'],
    ["the domain imports the store", `${core}/domain/tasks/task.ts`, 'import { open } from "../../store/open.ts";'],
    ["a type crosses", `${core}/domain/tasks/task.ts`, 'import type { Db } from "../../store/open.ts";'],
    ["a type crosses inline", `${core}/domain/tasks/task.ts`, 'type Db = import("../../store/open.ts").Db;'],
    ["the store imports the engine", `${core}/store/open.ts`, 'export { tick } from "../engine/timers.ts";'],
    ["a transport starts work", `${core}/http/routes/tasks.ts`, 'import "../../engine/dispatcher.ts";'],
    ["a transport reads the store", `${core}/http/routes/tasks.ts`, 'await import("../../store/open.ts");'],
    ["the engine imports the wiring", `${core}/engine/timers.ts`, 'import { app } from "../app.ts";'],
    ["a layer imports its own package by name", `${core}/engine/timers.ts`, 'import { app } from "@opspawn/ops-core";'],
    ["the agent loop imports the SDK", "packages/agentkit/src/loop.ts", 'import { client } from "@opspawn/sdk";'],
    ["the CLI imports the server", "packages/cli/src/main.ts", 'import { app } from "@opspawn/ops-core";'],
    ["a path leaves its package", "packages/sdk/src/tasks.ts", 'import { x } from "../../contract/src/errors.ts";'],
    ["a test crosses packages", "packages/sdk/src/tasks.test.ts", 'import { app } from "@opspawn/ops-core";'],
  ];
  for (const [name, file, text] of forbidden) {
    it(`refuses that ${name}`, () => assert.deepEqual(untidy({ [file]: text }), [`${file}:1 [layers]`]));
  }

  const permitted: readonly (readonly [string, string, string])[] = [
    ["every layer import the contract", `${core}/store/open.ts`, 'import { OpspawnError } from "@opspawn/contract";'],
    ["the store import the domain", `${core}/store/open.ts`, 'import type { Store } from "../domain/store.ts";'],
    ["a layer import itself", `${core}/store/open.ts`, 'import { migrate } from "./migrate.ts";'],
    ["the wiring import everything", `${core}/app.ts`, 'import "./store/open.ts";\nimport "@opspawn/agentkit";'],
    ["serve import the SDK", "packages/agentkit/src/serve/agent.ts", 'import { client } from "@opspawn/sdk";'],
    ["a test reach across its package", `${core}/http/tasks.test.ts`, 'import { open } from "../store/open.ts";'],
    ["other people's packages in", `${core}/http/server.ts`, 'import fastify from "fastify";'],
  ];
  for (const [name, file, text] of permitted) {
    it(`lets ${name}`, () => assert.deepEqual(untidy({ [file]: text }), []));
  }

  it("asks for a place in the table when a folder is new", () => {
    assert.deepEqual(untidy({ [`${core}/attic/x.ts`]: "" }), [`${core}/attic/x.ts [layers]`]);
  });

  it("does not take an import inside a string or a comment for one", () => {
    const text = `const example = 'import "../store/open.ts"';\n// import "../store/open.ts"`;
    assert.deepEqual(untidy({ [`${core}/domain/example.ts`]: text }), []);
  });
});

describe("places", () => {
  const file = "packages/ops-core/src/domain/tasks/task.ts";
  const reaches: readonly (readonly [string, string])[] = [
    ["environment", "const port = process.env.PORT;"],
    ["environment", 'import { env } from "node:process";'],
    ["clock", "const now = Date.now();"],
    ["clock", "const now = new Date();"],
    ["clock", "const now = new Date;"],
    ["clock", "const now = performance.now();"],
    ["clock", "const now = process.hrtime.bigint();"],
    ["random", "const dice = Math.random();"],
    ["random", 'import { randomUUID } from "node:crypto";'],
    ["random", "const id = crypto.randomUUIDv7();"],
    ["random", "const secret = randomBytes(24);"],
    ["timers", "setTimeout(done, 10);"],
    ["timers", "globalThis.setInterval(done, 10);"],
    ["timers", 'import { setTimeout as sleep } from "node:timers/promises";'],
  ];
  for (const [rule, text] of reaches) {
    it(`refuses ${text}`, () => assert.ok(untidy({ [file]: text }).includes(`${file}:1 [${rule}]`)));
  }

  it("sees a call inside a template", () => {
    assert.deepEqual(untidy({ [file]: "const name = `job-${{ at: Date.now() }.at}`;" }), [`${file}:1 [clock]`]);
  });

  it("names the line", () => {
    assert.deepEqual(untidy({ [file]: "\n/* a\n comment */\nconst now = Date.now();" }), [`${file}:4 [clock]`]);
  });

  it("leaves sentences, regular expressions and other people's methods alone", () => {
    const text =
      'socket.setTimeout(5); // not setTimeout(\nconst a = "Date.now()", b = /Math.random/, c = new Date(5);';
    assert.deepEqual(untidy({ [file]: text }), []);
  });

  it("lets config.ts read the environment, clock.ts and system/ the clock", () => {
    const text = "const now = Date.now() + Math.random();";
    assert.deepEqual(untidy({ "packages/cli/src/config.ts": "const port = process.env.PORT;" }), []);
    assert.deepEqual(untidy({ "packages/sdk/src/clock.ts": text }), []);
    assert.deepEqual(untidy({ "packages/ops-core/src/system/clock.ts": text }), []);
  });

  it("lets tests make ids and read the time, but not sleep", () => {
    const test = "packages/sdk/src/tasks.test.ts";
    assert.deepEqual(untidy({ [test]: "const now = Date.now();\nsetTimeout(done, 10);" }), [`${test}:2 [timers]`]);
  });

  it("leaves the folders outside the packages free", () => {
    assert.deepEqual(untidy({ "test/e2e/server.test.ts": "setTimeout(done, Date.now());" }), []);
  });
});

describe("words", () => {
  const file = "packages/sdk/src/tasks.ts";

  for (const place of ["root/data", "tmp/x", "work", "home/me/x", "Users/me"]) {
    it(`refuses the machine path to ${place}`, () => {
      assert.deepEqual(untidy({ [file]: `open("/${place}");` }), [`${file}:1 [machine-path]`]);
      assert.deepEqual(untidy({ "docs/a.md": `Look into /${place}.\n` }), ["docs/a.md:1 [machine-path]"]);
    });
  }

  it("leaves URLs and longer names alone", () => {
    assert.deepEqual(
      untidy({ [file]: 'get("https://example.org/tmp/x", "/v1/work", "/workflows", "../root/x");' }),
      [],
    );
  });

  for (const word of ["TO" + "DO", "FIX" + "ME", "not " + "implemented"]) {
    it(`refuses ${word}, in comments too`, () => {
      assert.deepEqual(untidy({ [file]: `// ${word}: the rest` }), [`${file}:1 [open-work]`]);
    });
  }

  for (const word of ["biome" + "-ignore lint/style", "@ts" + "-expect-error", "node:" + "coverage disable"]) {
    it(`refuses ${word}`, () => assert.deepEqual(untidy({ [file]: `// ${word}` }), [`${file}:1 [suppression]`]));
  }

  it("lets a table keep its own format", () => {
    assert.deepEqual(untidy({ [file]: `// ${"biome" + "-ignore"} format: a table` }), []);
  });

  for (const call of ["it.only(x)", "test.skip(x)", "describe.todo(x)", "t.skip()", "it('x', { skip: true })"]) {
    it(`refuses ${call} in tests`, () => {
      assert.deepEqual(untidy({ "test/e2e/a.test.ts": call }), ["test/e2e/a.test.ts:1 [partial-tests]"]);
    });
  }
});

describe("files", () => {
  it("refuses strangers in the root", () => {
    assert.deepEqual(untidy({ "notes.txt": "" }), ["notes.txt [root-folder]"]);
  });

  it("counts only tracked files in the root", () => {
    const tree = { files: [...Object.keys(clean), "notes.txt"], tracked: Object.keys(clean) };
    assert.deepEqual(findUntidy({ ...tree, read: (file) => clean[file] ?? "" }, []), []);
  });

  it("refuses attics", () => {
    assert.deepEqual(untidy({ "packages/sdk/src/utils.ts": "" }), ["packages/sdk/src/utils.ts [file-names]"]);
    assert.deepEqual(untidy({ "packages/sdk/src/util/x.ts": "" }), ["packages/sdk/src/util/x.ts [file-names]"]);
  });

  it("refuses tracked products", () => {
    assert.deepEqual(untidy({ "packages/sdk/dist/index.js": "" }), ["packages/sdk/dist/index.js [file-names]"]);
    assert.deepEqual(untidy({ "test/run.log": "" }), ["test/run.log [file-names]"]);
  });
});

describe("lock file", () => {
  const withEntry = (name: string, entry: object): Record<string, string> => ({
    "package-lock.json": JSON.stringify({ packages: { ...lock.packages, [name]: entry } }),
  });
  const found = ["package-lock.json [lock-file]"];

  it("refuses a registry's host", () => {
    const entry = { version: "1.0.0", integrity: "sha512-x", resolved: "https://registry.example/x.tgz" };
    assert.deepEqual(untidy(withEntry("node_modules/x", entry)), found);
  });

  it("refuses install scripts", () => {
    const entry = { version: "1.0.0", integrity: "sha512-x", hasInstallScript: true };
    assert.deepEqual(untidy(withEntry("node_modules/x", entry)), found);
  });

  it("refuses packages that are not pinned by content", () => {
    assert.deepEqual(untidy(withEntry("node_modules/x", { version: "1.0.0" })), found);
  });

  it("refuses to be out of step with a package.json", () => {
    assert.deepEqual(untidy({ "package.json": JSON.stringify({ version: "0.1.0" }) }), found);
    assert.deepEqual(untidy({ "packages/sdk/package.json": JSON.stringify({ version: "0.2.0" }) }), found);
    assert.deepEqual(untidy({ "packages/new/package.json": JSON.stringify({ version: "0.1.0" }) }), found);
  });

  it("refuses version ranges", () => {
    const ranged = { ...manifest, dependencies: { zod: "^4.6.7" } };
    const planted = { "package.json": JSON.stringify(ranged), ...withEntry("", ranged) };
    assert.deepEqual(untidy(planted), ["package.json [lock-file]"]);
  });
});

describe("links", () => {
  it("refuses files that do not exist", () => {
    assert.deepEqual(untidy({ "docs/a.md": "\n[b](b.md)" }), ["docs/a.md:2 [links]"]);
  });

  it("refuses headings that do not exist", () => {
    assert.deepEqual(untidy({ "docs/a.md": "[b](../STYLE.md#nowhere)" }), ["docs/a.md:1 [links]"]);
    assert.deepEqual(untidy({ "docs/a.md": "# Here\n[b](#there)" }), ["docs/a.md:2 [links]"]);
  });

  it("follows folders, and leaves code blocks alone", () => {
    assert.deepEqual(untidy({ "docs/a.md": "[root](..) [docs](./)\n```\n[b](b.md)\n```\n`[c](c.md)`" }), []);
  });
});

describe("exemptions", () => {
  const file = "packages/sdk/src/tasks.ts";
  const exemption = { rule: "clock", file, reason: "a test" };

  it("cover one rule in one file", () => {
    const text = "const now = Date.now() + Math.random();";
    assert.deepEqual(untidy({ [file]: text }, [exemption]), [`${file}:1 [random]`]);
  });

  it("are themselves a finding when nothing needs them", () => {
    assert.deepEqual(untidy({ [file]: "" }, [exemption]), [`${file} [exemptions]`]);
  });
});
