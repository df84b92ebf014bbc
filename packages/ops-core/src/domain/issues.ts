import type { Issue } from "@opspawn/contract";

/** Where a value stands inside a document: keys and list positions from its root. */
export type Loc = readonly (string | number)[];

/** Issues beyond this many are counted, not kept: a hostile document must not make a report larger than itself. */
const ISSUES_MAX = 100;
/** How many issues an error's one-line message names. */
const ISSUES_IN_MESSAGE = 3;

/** Collects every wrong place of a document, so that one answer names them all. */
export class Issues {
  readonly list: Issue[] = [];
  #dropped = 0;

  /** @param msg a function when the text is costly to make: it is not called for an issue that is only counted */
  add(loc: Loc, type: string, msg: string | (() => string)): void {
    if (this.list.length >= ISSUES_MAX) this.#dropped += 1;
    else this.list.push({ loc: [...loc], msg: typeof msg === "string" ? msg : msg(), type });
  }

  get empty(): boolean {
    return this.list.length === 0;
  }

  /** One line: the first issues with their paths, and how many more there are. */
  get summary(): string {
    const named = this.list.slice(0, ISSUES_IN_MESSAGE).map((issue) => issueText(issue));
    const more = this.list.length + this.#dropped - named.length;
    return more > 0 ? `${named.join("; ")}; and ${more} more` : named.join("; ");
  }
}

export function issueText(issue: Issue): string {
  return issue.loc.length === 0 ? issue.msg : `${pathText(issue.loc)}: ${issue.msg}`;
}

/** A path as people write it: `tasks[2].retry.maxAttempts`, `steps["publish-ok"]`. */
export function pathText(loc: Loc): string {
  let text = "";
  for (const part of loc) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
