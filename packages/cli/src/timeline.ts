import { type EventView, formatTime, type JsonObject, type JsonValue, parseTime } from "@opspawn/contract";
import { type Style, toneOf } from "./output/style.ts";
import { padEnd, plain, truncate } from "./output/text.ts";
import { elapsed } from "./output/time.ts";

const TIME_WIDTH = 9;
const STEP_WIDTH = 16;
// Said elsewhere in the line, or of no use to a reader.
const TOLD: readonly string[] = ["taskId", "lane", "stepId", "number", "agentId", "agentName", "error", "readyAt"];

/** Turns the events of one session, task or agent into lines for people, the time counted from the first one. */
export class Timeline {
  readonly #style: Style;
  readonly #columns: number;
  readonly #agentNames = new Map<string, string>();
  #start: string | null = null;

  constructor(style: Style, columns: number) {
    this.#style = style;
    this.#columns = columns;
  }

  line(event: EventView): string {
    this.#start ??= event.at;
    const { data } = event;
    const [noun = "", word = ""] = event.type.split(".");
    this.#learn(data);
    const time = elapsed(this.#start, event.at).padStart(TIME_WIDTH);
    const subject = padEnd(truncate(plain(textOf(data.stepId ?? "")), STEP_WIDTH), STEP_WIDTH);
    const number = data.number === undefined ? "" : ` ${textOf(data.number)}`;
    const what = `${noun}${number} ${word.replaceAll("_", " ")}`;
    const details = this.#details(event).map((detail) => ` · ${plain(detail)}`);
    const room = Math.max(20, this.#columns - TIME_WIDTH - STEP_WIDTH - 4);
    const text = truncate(`${plain(what)}${details.join("")}`, room);
    return `${this.#style("dim", time)}  ${subject}  ${this.#style(toneOf(word), text)}`;
  }

  #learn(data: JsonObject): void {
    const { agentId, agentName } = data;
    if (typeof agentId === "string" && typeof agentName === "string") this.#agentNames.set(agentId, agentName);
  }

  #details(event: EventView): string[] {
    const { data } = event;
    const details: string[] = [];
    const agent = data.agentId;
    if (typeof agent === "string") details.push(this.#agentNames.get(agent) ?? agent);
    const ready = secondsUntil(data.readyAt, event.at);
    if (ready !== null) details.push(`again in ${ready}`);
    const error = data.error;
    if (typeof error === "object" && error !== null && !Array.isArray(error)) {
      details.push(`${textOf(error.code ?? "error")}: ${textOf(error.message ?? "")}`);
    }
    for (const [name, value] of Object.entries(data)) {
      if (!TOLD.includes(name) && value !== null && value !== false) details.push(`${name} ${textOf(value)}`);
    }
    return details;
  }
}

function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How long after `at` a time is; it may come as text or in microseconds. */
function secondsUntil(time: JsonValue | undefined, at: string): string | null {
  const text = typeof time === "number" ? formatTime(time) : time;
  if (typeof text !== "string" || parseTime(text) === null) return null;
  return elapsed(at, text);
}
