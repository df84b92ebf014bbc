import type { Page } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "./call.ts";
import { whole } from "./options.ts";
import type { Column } from "./output/table.ts";

export interface PageOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: true;
}

const PAGE = 200;

/** Adds the options that every list takes. */
export function withPaging(command: Command): Command {
  return command
    .option("--limit <n>", "items on a page (default: 50, at most 200)", whole(1, PAGE))
    .option("--cursor <cursor>", "go on where a page ended")
    .option("--all", "all pages");
}

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface Listing<Item> {
  readonly page: (query: PageQuery) => Promise<Page<Item>>;
  readonly columns: readonly Column<Item>[];
  /** What to say when there is nothing. */
  readonly empty: string;
  /** A command that would change that. */
  readonly remedy?: string;
  /** A command that says more about one of them. */
  readonly hint?: string;
}

/** Shows a page of a list, or all of it. */
export async function showList<Item>(call: Call, options: PageOptions, listing: Listing<Item>): Promise<void> {
  const { items, cursor } =
    call.output.format === "jsonl" ? await writeLines(call, options, listing) : await read(options, listing);
  if (call.output.format === "table") showTable(call, items, listing);
  else if (call.output.format !== "jsonl") call.output.data({ items, nextCursor: cursor ?? null });
  if (cursor !== undefined) call.say(`There are more: add --all, or --cursor ${cursor}`);
}

interface Read<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

/** Reads the page asked for, or all from there on. */
async function read<Item>(
  options: PageOptions,
  listing: Listing<Item>,
  onPage?: (page: readonly Item[]) => void,
): Promise<Read<Item>> {
  const items: Item[] = [];
  let cursor = options.cursor;
  do {
    const page = await listing.page({ limit: options.limit ?? (options.all ? PAGE : undefined), cursor });
    cursor = page.nextCursor ?? undefined;
    if (onPage === undefined) items.push(...page.items);
    else onPage(page.items);
  } while (options.all && cursor !== undefined);
  return { items, cursor };
}

/** A line per item, as pages arrive: the one format for lists of any length. */
function writeLines<Item>(call: Call, options: PageOptions, listing: Listing<Item>): Promise<Read<Item>> {
  return read(options, listing, (page) => {
    for (const item of page) call.output.data(item);
  });
}

function showTable<Item>(call: Call, items: readonly Item[], listing: Listing<Item>): void {
  const { program } = call.io.settings;
  const remedy = listing.remedy === undefined ? "" : ` Make one: ${program} ${listing.remedy}`;
  if (items.length === 0) call.say(listing.empty + remedy);
  else {
    call.output.lines(call.output.table(items, listing.columns));
    if (listing.hint !== undefined) call.say(`More of one: ${program} ${listing.hint}`);
  }
}
