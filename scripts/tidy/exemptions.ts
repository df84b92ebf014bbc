import type { Finding } from "./finding.ts";

export interface Exemption {
  readonly rule: string;
  readonly file: string;
  readonly reason: string;
}

/** The whole list of files that may break a rule of tidy. It may only shrink; an entry nobody needs is a finding. */
export const EXEMPTIONS: readonly Exemption[] = [];

/** Takes the exempted findings out, and reports exemptions that exempt nothing. */
export function applyExemptions(findings: readonly Finding[], exemptions: readonly Exemption[]): Finding[] {
  const covers = (exemption: Exemption, finding: Finding): boolean =>
    exemption.rule === finding.rule && exemption.file === finding.file;
  const left = findings.filter((finding) => !exemptions.some((exemption) => covers(exemption, finding)));
  const idle = exemptions.filter((exemption) => !findings.some((finding) => covers(exemption, finding)));
  return [
    ...left,
    ...idle.map(({ rule, file }) => ({
      rule: "exemptions",
      file,
      message: `no longer breaks "${rule}"; remove its entry from scripts/tidy/exemptions.ts`,
    })),
  ];
}
