/** A range of a text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const WORD = /[a-z_]+|[()]/gi;
/** What ends a condition that no parenthesis ends. */
const ENDS = new Set(["order", "limit", "group", "having", "union", "returning", "on", "set"]);

interface Clause {
  readonly depth: number;
  start: number;
  readonly conjuncts: Range[];
}

/**
 * The conditions that stand side by side in the `where` clauses of a statement, inner ones included. A text that goes on
 * with a clause begun elsewhere (`${AGENTS} and name = ?`) counts from its first `and`.
 */
export function conjunctsOf(sql: string): Range[] {
  const reader = new Reader(sql);
  for (const { 0: word, index } of sql.matchAll(WORD)) reader.take(word.toLowerCase(), index, index + word.length);
  return reader.finish();
}

class Reader {
  readonly #sql: string;
  readonly #found: Range[] = [];
  readonly #open: Clause[] = [];
  #depth = 0;
  #isBetween = false;

  constructor(sql: string) {
    this.#sql = sql;
  }

  take(word: string, start: number, end: number): void {
    switch (word) {
      case "(":
        this.#depth += 1;
        break;
      case ")":
        this.#close(start);
        this.#depth -= 1;
        break;
      case "between":
        this.#isBetween = true;
        break;
      case "where":
        this.#begin(end);
        break;
      case "and":
        this.#and(start, end);
        break;
      default:
        if (ENDS.has(word)) this.#close(start);
    }
  }

  finish(): Range[] {
    for (const clause of this.#open)
      this.#found.push(...clause.conjuncts, this.#trimmed(clause.start, this.#sql.length));
    return this.#found.filter(({ start, end }) => start < end);
  }

  #begin(start: number): void {
    this.#open.push({ depth: this.#depth, start, conjuncts: [] });
  }

  #and(start: number, end: number): void {
    const clause = this.#open.at(-1);
    if (this.#isBetween) this.#isBetween = false;
    else if (clause?.depth === this.#depth) {
      clause.conjuncts.push(this.#trimmed(clause.start, start));
      clause.start = end;
    } else if (this.#depth === 0 && this.#found.length + this.#open.length === 0) this.#begin(end);
  }

  /** Ends the clause of this depth, if there is one. */
  #close(end: number): void {
    const clause = this.#open.at(-1);
    if (clause?.depth !== this.#depth) return;
    this.#open.pop();
    this.#found.push(...clause.conjuncts, this.#trimmed(clause.start, end));
  }

  #trimmed(start: number, end: number): Range {
    const part = this.#sql.slice(start, end);
    const from = start + part.length - part.trimStart().length;
    return { start: from, end: from + part.trim().length };
  }
}
