/** A piece of a Markdown file. `text` keeps its line breaks, so that a place in it leads back to a line of the file. */
export interface Block {
  readonly kind: "heading" | "paragraph" | "item" | "quote" | "code" | "table" | "html";
  /** Of the file, from 1. */
  readonly line: number;
  readonly text: string;
  /** Of a heading, 1 to 6. */
  readonly level?: number;
}

const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])[ \t]+/;
const QUOTE = /^ {0,3}>[ \t]?/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEFINITION = /^ {0,3}\[[^\]]+\]:[ \t]*\S+/;
const HTML = /^ {0,3}<\/?[a-zA-Z!]/;

/**
 * Splits a Markdown file into blocks, by lines. Knows fenced and indented code, both kinds of heading, lists, quotes,
 * tables, front matter, comments and link definitions; it is a reader of documents, not a full Markdown parser.
 */
export function blocksOf(source: string): Block[] {
  return new BlockReader(source.split(/\r\n|\r|\n/)).read();
}

class BlockReader {
  readonly #lines: readonly string[];
  readonly #blocks: Block[] = [];
  #at = 0;
  /** Where an indented line goes on with a list item instead of being code. */
  #inList = false;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  read(): Block[] {
    this.#skipFrontMatter();
    while (this.#at < this.#lines.length) this.#readBlock();
    return this.#blocks;
  }

  #line(offset = 0): string {
    return this.#lines[this.#at + offset] ?? "";
  }

  #skipFrontMatter(): void {
    if (this.#line() !== "---") return;
    const end = this.#lines.indexOf("---", 1);
    if (end > 0) this.#at = end + 1;
  }

  #readBlock(): void {
    switch (this.#kindAt()) {
      case "blank":
        this.#at++;
        break;
      case "fence":
        this.#readFence();
        break;
      case "code":
        this.#take("code", (next) => /^(?: {4}|\t|\s*$)/.test(next));
        break;
      case "heading":
        this.#readHeading();
        break;
      case "comment":
        this.#readComment();
        break;
      case "html":
        this.#take("html", (next) => next.trim() !== "");
        break;
      case "table":
        this.#take("table", (next) => next.trim() !== "");
        break;
      case "text":
        this.#readText();
        break;
    }
  }

  #kindAt(): "blank" | "fence" | "code" | "heading" | "comment" | "html" | "table" | "text" {
    const line = this.#line();
    if (line.trim() === "" || RULE.test(line) || DEFINITION.test(line)) return "blank";
    if (FENCE.test(line)) return "fence";
    if (!this.#inList && /^(?: {4}|\t)/.test(line)) return "code";
    if (HEADING.test(line)) return "heading";
    if (/^\s*<!--/.test(line)) return "comment";
    if (HTML.test(line)) return "html";
    return line.includes("|") && this.#line(1).includes("-") && TABLE_RULE.test(this.#line(1)) ? "table" : "text";
  }

  #readFence(): void {
    const fence = FENCE.exec(this.#line())?.[1] ?? "```";
    const start = this.#at++;
    const closes = new RegExp(`^\\s*\\${fence[0]}{${fence.length},}\\s*$`);
    while (this.#at < this.#lines.length && !closes.test(this.#line())) this.#at++;
    this.#at++;
    this.#blocks.push({ kind: "code", line: start + 1, text: this.#lines.slice(start, this.#at).join("\n") });
  }

  #readHeading(): void {
    const heading = HEADING.exec(this.#line());
    this.#inList = false;
    this.#blocks.push({
      kind: "heading",
      line: this.#at + 1,
      text: heading?.[2] ?? "",
      level: heading?.[1]?.length ?? 1,
    });
    this.#at++;
  }

  #readComment(): void {
    while (this.#at < this.#lines.length && !this.#line().includes("-->")) this.#at++;
    this.#at++;
  }

  /** A paragraph, list item or quote: up to a blank line or the start of something else. */
  #readText(): void {
    const start = this.#at;
    const kind = textKind(this.#line());
    this.#inList = kind === "item" || (this.#inList && /^\s/.test(this.#line()));
    const lines = [this.#line().replace(ITEM, "").replace(QUOTE, "")];
    this.#at++;
    while (this.#continues(kind)) {
      const underline = UNDERLINE.exec(this.#line());
      if (underline !== null && kind === "paragraph") {
        this.#at++;
        const level = underline[1]?.startsWith("=") ? 1 : 2;
        this.#blocks.push({ kind: "heading", line: start + 1, text: lines.join("\n").trim(), level });
        return;
      }
      lines.push(this.#line().replace(QUOTE, ""));
      this.#at++;
    }
    this.#blocks.push({ kind, line: start + 1, text: lines.join("\n") });
  }

  #continues(kind: Block["kind"]): boolean {
    const line = this.#line();
    if (this.#at >= this.#lines.length || line.trim() === "") return false;
    if (FENCE.test(line) || HEADING.test(line) || ITEM.test(line)) return false;
    if (RULE.test(line)) return kind === "paragraph" && UNDERLINE.test(line);
    return kind === "quote" || !QUOTE.test(line);
  }

  #take(kind: Block["kind"], goesOn: (line: string) => boolean): void {
    const start = this.#at;
    while (this.#at < this.#lines.length && goesOn(this.#line())) this.#at++;
    this.#blocks.push({ kind, line: start + 1, text: this.#lines.slice(start, this.#at).join("\n").trimEnd() });
  }
}

function textKind(line: string): "item" | "quote" | "paragraph" {
  if (ITEM.test(line)) return "item";
  return QUOTE.test(line) ? "quote" : "paragraph";
}
