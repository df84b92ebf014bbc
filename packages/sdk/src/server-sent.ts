/** One block of a stream of server-sent events. What it does not hold is undefined. */
export interface Block {
  readonly event: string | undefined;
  readonly data: string | undefined;
  /** May be empty: the place known before is none any more. */
  readonly id: string | undefined;
}

/** Characters of one block; the server's events are far smaller. */
const LONGEST_BLOCK = 16_777_216;

/**
 * Reads blocks as they become complete, comments as blocks that hold nothing. What is cut off in the middle is left out.
 * @param heard called with whatever comes
 * @throws Error when a block has no end
 */
export async function* readBlocks(bytes: AsyncIterable<Uint8Array>, heard: () => void): AsyncGenerator<Block> {
  const decoder = new TextDecoder();
  let text = "";
  let lines: string[] = [];
  for await (const chunk of bytes) {
    heard();
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_BLOCK) throw new Error("an event of the stream has no end");
    const complete = text.split("\n");
    text = complete.pop() ?? "";
    for (const line of complete) {
      const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (plain !== "") lines.push(plain);
      else if (lines.length > 0) {
        yield blockOf(lines);
        lines = [];
      }
    }
  }
}

function blockOf(lines: readonly string[]): Block {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    const before = name === "data" ? fields.get(name) : undefined;
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return { event: fields.get("event"), data: fields.get("data"), id: fields.get("id") };
}
