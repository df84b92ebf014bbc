import path from "node:path";
import { type Finding, isCode, isTestCode, type Rule } from "./finding.ts";
import { importsOf } from "./imports.ts";

interface Layer {
  readonly name: string;
  /** Files below it belong to the layer; the first match in the table wins. */
  readonly folder: string;
  /** The other layers it may import, or "all". */
  readonly may: readonly string[] | "all";
}

const core = "packages/ops-core/src/";

/** A middle layer gets what it needs from its neighbours as a constructor argument, from app.ts. */
const middle = ["store", "engine", "auth", "telemetry", "outbound", "webhooks", "system"];
const transports = ["http", "grpc", "mcp"];

/** Who may import whom. Type-only imports count: a type is knowledge too. */
const LAYERS: readonly Layer[] = [
  { name: "contract", folder: "packages/contract/", may: [] },
  { name: "domain", folder: `${core}domain/`, may: ["contract"] },
  ...middle.map((name) => ({ name, folder: `${core}${name}/`, may: ["domain", "contract"] })),
  ...transports.map((name) => ({ name, folder: `${core}${name}/`, may: ["domain", "auth", "contract"] })),
  { name: "app", folder: `${core}app/`, may: "all" },
  // Wires the same parts in memory, for who owns the world around them.
  { name: "in-process", folder: `${core}testing/`, may: "all" },
  { name: "sdk", folder: "packages/sdk/", may: ["contract"] },
  { name: "serve", folder: "packages/agentkit/src/serve/", may: ["agentkit", "sdk", "contract"] },
  { name: "agentkit", folder: "packages/agentkit/", may: ["serve", "contract"] },
  { name: "testing", folder: "packages/testing/", may: ["in-process", "contract"] },
  { name: "cli", folder: "packages/cli/", may: ["sdk", "testing", "contract"] },
];

/** What another package gets when it imports the package by name. */
const PACKAGE_LAYER: Readonly<Record<string, string>> = { "ops-core": "app" };

export const layers: Rule = ({ files, read }) =>
  files.filter((file) => file.startsWith("packages/") && isCode(file)).flatMap((file) => checkFile(file, read(file)));

function checkFile(file: string, source: string): Finding[] {
  const layer = layerOf(file);
  if (layer === undefined) {
    return [{ rule: "layers", file, message: "is in no known layer; add its folder to scripts/tidy/layers.ts" }];
  }
  return importsOf(source).flatMap(({ specifier, line }) => {
    const message = judge(file, layer, specifier);
    return message === undefined ? [] : [{ rule: "layers", file, line, message }];
  });
}

/** @returns what is wrong with the import, if anything */
function judge(file: string, layer: Layer, specifier: string): string | undefined {
  const target = targetOf(file, specifier);
  if (target === undefined) return undefined;
  if (specifier.startsWith(".") && packageOf(target) !== packageOf(file)) {
    return `imports ${specifier}; import another package by its name, @opspawn/${packageOf(target) ?? "..."}`;
  }
  const imported = layerOf(target)?.name;
  if (imported === undefined || imported === layer.name || layer.may === "all") return undefined;
  if (isTestCode(file) && packageOf(target) === packageOf(file)) return undefined;
  if (layer.may.includes(imported) && (imported !== "serve" || file.endsWith("/index.ts"))) return undefined;
  const allowed = layer.may.length === 0 ? "nothing of ours" : layer.may.join(", ");
  return `${layer.name} imports ${imported} (${specifier}); it may import ${allowed}. Have it passed in as an argument`;
}

/** The path an import of ours leads to; undefined for other people's packages. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return path.posix.join(path.posix.dirname(file), specifier);
  const [, name, entry] = /^@opspawn\/([^/]+)(?:\/([^/]+))?/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  return `packages/${name}/src/${entry === "testing" ? "testing/" : ""}index.ts`;
}

function layerOf(file: string): Layer | undefined {
  const known = LAYERS.find(({ folder }) => file.startsWith(folder));
  if (known !== undefined) return known;
  // main.ts, app.ts, config.ts: only files that stand directly in src/ do the wiring.
  const wiring = file.startsWith(core) && !file.slice(core.length).includes("/");
  return wiring ? LAYERS.find(({ name }) => name === PACKAGE_LAYER["ops-core"]) : undefined;
}

function packageOf(file: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(file)?.[1];
}
