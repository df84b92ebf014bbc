import { OpspawnError } from "@opspawn/contract";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** The largest page the server answers. */
export const PAGE_LIMIT = 200;

/** Every item of a list, page by page as they are asked for. */
export async function* allItems<Item>(next: (cursor: string | undefined) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await next(cursor);
    yield* page.items;
    if (cursor !== undefined && page.nextCursor === cursor) {
      throw new OpspawnError("invalid_cursor", "The server answered the same page again; the list was not read whole");
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
