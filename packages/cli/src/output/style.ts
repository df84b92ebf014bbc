import { styleText } from "node:util";

export type Tone = "good" | "bad" | "warn" | "dim" | "title";

const FORMATS: Record<Tone, Parameters<typeof styleText>[0]> = {
  good: "green",
  bad: "red",
  warn: "yellow",
  dim: "dim",
  title: "bold",
};

/** Colours text, or leaves it alone. */
export type Style = (tone: Tone | undefined, text: string) => string;

export function createStyle(isOn: boolean): Style {
  // Whether colour is wanted was decided for the stream this goes to, not for the process's own.
  return (tone, text) =>
    isOn && tone !== undefined ? styleText(FORMATS[tone], text, { validateStream: false }) : text;
}

const TONES: Record<string, Tone> = {
  completed: "good",
  succeeded: "good",
  delivered: "good",
  ready: "good",
  failed: "bad",
  timed_out: "bad",
  lost: "bad",
  error: "bad",
  offline: "bad",
  quarantined: "bad",
  cancelled: "warn",
  uncertain: "warn",
  waiting: "warn",
  paused: "warn",
  suspect: "warn",
  unresponsive: "warn",
  retrying: "warn",
  fell_back: "warn",
  interrupted: "warn",
  stopped: "good",
  finished: "warn",
  refused: "bad",
  unreachable: "bad",
  done: "good",
  intended: "warn",
  not_done: "dim",
  approved: "good",
  rejected: "bad",
  expired: "bad",
  pending: "dim",
  skipped: "dim",
};

/** The tone of a status, health or kind of event; none for words that are neither good nor bad. */
export function toneOf(word: string): Tone | undefined {
  return TONES[word];
}
