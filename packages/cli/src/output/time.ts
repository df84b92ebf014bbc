import { parseTime } from "@opspawn/contract";

const STEPS: readonly (readonly [unit: string, seconds: number])[] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** How long ago, in its largest unit, such as `3m`; `-` for no time. */
export function age(time: string | null, now: number): string {
  const micros = time === null ? null : parseTime(time);
  if (micros === null) return "-";
  const seconds = Math.max(0, Math.floor((now - micros) / 1_000_000));
  const [unit, size] = STEPS.find(([, each]) => seconds >= each) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

/** Seconds between two times, such as `1.204s`; `-` when there is no such time. */
export function elapsed(from: string | null, to: string | null): string {
  const [start, end] = [from, to].map((time) => (time === null ? null : parseTime(time)));
  if (start == null || end == null) return "-";
  return `${((end - start) / 1_000_000).toFixed(3)}s`;
}

/** Such as `48 ms`, `1.25 s`, `2 min 5 s`, `3 h 20 min`. */
export function duration(micros: number): string {
  const millis = micros / 1_000;
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(2)} s`;
  if (millis < 3_600_000) return `${Math.floor(millis / 60_000)} min ${Math.floor((millis % 60_000) / 1_000)} s`;
  return `${Math.floor(millis / 3_600_000)} h ${Math.floor((millis % 3_600_000) / 60_000)} min`;
}
