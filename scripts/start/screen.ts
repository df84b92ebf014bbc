import { styleText } from "node:util";

type Tone = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** The terminal: at most 80 columns, colours only where a person looks. */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #colours: boolean;

  constructor(stream: { write(text: string): unknown; isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env) {
    this.#write = (text) => void stream.write(text);
    this.#colours = stream.isTTY === true && env.NO_COLOR === undefined && env.TERM !== "dumb";
  }

  line(text = ""): void {
    this.#write(`${text}\n`);
  }

  /** Text of ours in a colour. */
  paint(tone: Tone, text: string): string {
    return this.#colours ? styleText(tone, text, { validateStream: false }) : text;
  }
}

/** Text of others, made harmless for a terminal: no control characters, one line. */
export function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cf}]/gu, "");
}

/** At most `width` characters. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3)).toWellFormed()}...`;
}

/** Such as `48 ms`, `1.25 s`, `2 min 5 s`. */
export function duration(micros: number): string {
  const millis = micros / 1_000;
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(2)} s`;
  return `${Math.floor(millis / 60_000)} min ${Math.round((millis % 60_000) / 1_000)} s`;
}
