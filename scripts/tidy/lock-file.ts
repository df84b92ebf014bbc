import type { Finding, Rule, Tree } from "./finding.ts";

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockEntry extends Manifest {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const LOCK = "package-lock.json";
const GROUPS = ["dependencies", "devDependencies", "optionalDependencies"] as const;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/** The lock file names no registry, runs no code at install, pins by content, and agrees with each package.json. */
export const lockFile: Rule = (tree) => {
  if (!tree.files.includes(LOCK)) return [finding(LOCK, "is missing; run npm install and commit it")];
  const entries = (JSON.parse(tree.read(LOCK)) as { packages: Record<string, LockEntry> }).packages;
  return [
    ...Object.entries(entries).flatMap(([name, entry]) => checkEntry(name, entry)),
    ...tree.files.filter(isManifest).flatMap((file) => checkManifest(tree, file, entries)),
  ];
};

function isManifest(file: string): boolean {
  return file === "package.json" || /^packages\/[^/]+\/package\.json$/.test(file);
}

function checkEntry(name: string, entry: LockEntry): Finding[] {
  const findings: Finding[] = [];
  if (/^\w+:\/\//.test(entry.resolved ?? "")) {
    findings.push(finding(LOCK, `${name} names its registry; run npm install with this repository's .npmrc`));
  }
  if (entry.hasInstallScript) findings.push(finding(LOCK, `${name} runs a script at install; choose another package`));
  const fromRegistry = name.includes("node_modules/") && !entry.link;
  if (fromRegistry && !entry.integrity) findings.push(finding(LOCK, `${name} has no content hash; run npm install`));
  return findings;
}

function checkManifest(tree: Tree, file: string, entries: Readonly<Record<string, LockEntry>>): Finding[] {
  const manifest = JSON.parse(tree.read(file)) as Manifest;
  const locked = entries[file === "package.json" ? "" : file.slice(0, -"/package.json".length)];
  const findings = GROUPS.flatMap((group) =>
    Object.entries(manifest[group] ?? {})
      .filter(([, range]) => !EXACT.test(range))
      .map(([name, range]) => finding(file, `${name} ${range} is not an exact version; pin it`)),
  );
  const inStep = GROUPS.every((group) => sameRecord(manifest[group], locked?.[group]));
  if (!inStep || manifest.version !== locked?.version) {
    findings.push(finding(LOCK, `does not match ${file}; run npm install and commit the lock file`));
  }
  return findings;
}

function sameRecord(
  left: Readonly<Record<string, string>> = {},
  right: Readonly<Record<string, string>> = {},
): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

function finding(file: string, message: string): Finding {
  return { rule: "lock-file", file, message };
}
