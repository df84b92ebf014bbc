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
