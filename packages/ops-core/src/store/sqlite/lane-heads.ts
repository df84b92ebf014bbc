import { readLimits } from "../../domain/tasks/limits.ts";
import type { Doer } from "./agent-index.ts";
import { leastInLine, nextInLine, nextWaiting } from "./claim.ts";
import type { Line } from "./limit-index.ts";
import { clearLimit, noteLimit } from "./limit-reasons.ts";
import { limitBlock } from "./permits.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { waitsIn } from "./waiting.ts";

/** The first task of a lane or a line; of a line that nobody has looked at yet only what its key is at least. */
interface Head {
  readonly key: number;
  readonly lane: string;
  readonly line: Line | null;
  readonly task: TaskRow | null;
}

/** The first waiting task of each lane, and of each line in it, in key order. */
export class LaneHeads {
  readonly #tx: Tx;
  readonly #lanes = new Set<string>();
  /** Descending, so that the next one is taken from the end. */
  readonly #heads: Head[] = [];

  constructor(tx: Tx, lanes: Iterable<string>) {
    this.#tx = tx;
    for (const lane of lanes) this.#admit(lane);
  }

  /** The first of all, unless its limits hold it back. */
  pop(): TaskRow | undefined {
    for (;;) {
      const head = this.#heads.pop();
      if (head === undefined) return undefined;
      if (head.line === null) return head.task ?? undefined;
      const task = this.#look(head.line, head);
      if (task !== undefined) return task;
    }
  }

  /** The task's place is taken by the one behind it. */
  admitNext({ lane, limits }: TaskRow): void {
    const line = limits === null ? undefined : this.#tx.context.limits.line(lane, limits);
    if (line !== undefined) this.#admitLine(line);
    else this.#admitPlain(lane);
  }

  /**
   * An agent serves lanes that nobody asked about, and other lines want the keys of a task; what waits there may be before it.
   * @returns true when `task` has to wait for its turn among them
   */
  admitLanesOf(agent: Doer, task: TaskRow): boolean {
    const lanes = agent.lanes.filter((lane) => waitsIn(this.#tx, lane));
    if (task.limits !== null) {
      for (const { lane } of this.#tx.context.limits.linesOf(readLimits(task.limits))) lanes.push(lane);
    }
    const admitted = lanes.filter((lane) => !this.#lanes.has(lane) && this.#admit(lane));
    if (admitted.length === 0) return false;
    this.#insert({ key: task.order_key, lane: task.lane, line: this.#lineOf(task), task });
    return true;
  }

  /** Nobody is free who could do this task; those of its lane that are behind it want the same. */
  dropLane({ lane, limits }: TaskRow): void {
    if (limits === null && !this.#tx.context.limits.waitsIn(lane)) return;
    const left = this.#heads.filter((head) => head.lane !== lane);
    this.#heads.splice(0, this.#heads.length, ...left);
  }

  /** Takes the first tasks of a lane in; true when there may be one. */
  #admit(lane: string): boolean {
    this.#lanes.add(lane);
    const { limits } = this.#tx.context;
    const before = this.#heads.length;
    if (limits.waitsIn(lane)) this.#admitLines([...limits.linesIn(lane)]);
    this.#admitPlain(lane);
    return this.#heads.length > before;
  }

  #admitPlain(lane: string): void {
    const task = nextWaiting(this.#tx, lane);
    if (task === undefined) forgetIfEmpty(this.#tx, lane);
    else this.#insert({ key: task.order_key, lane, line: null, task });
  }

  #admitLine(line: Line): void {
    this.#insert({ key: line.least, lane: line.lane, line, task: null });
  }

  /** There may be thousands: to insert them one by one would move the others each time. */
  #admitLines(lines: readonly Line[]): void {
    for (const line of lines) this.#heads.push({ key: line.least, lane: line.lane, line, task: null });
    // Not by their difference: of a line that nobody has looked at, the least key may be infinite.
    this.#heads.sort((a, b) => Number(a.key < b.key) - Number(a.key > b.key));
  }

  /** The task at the head of a line, if nothing holds it back and nobody stands before it after all. */
  #look(line: Line, { task: known, key }: Head): TaskRow | undefined {
    const tx = this.#tx;
    const block = limitBlock(tx, line.limits);
    if (block !== null) {
      if (!tx.context.limits.isNotedAsItIs(line) && !leaveIfEmpty(tx, line)) noteLimit(tx, line, block);
      return undefined;
    }
    clearLimit(tx, line);
    const task = known ?? nextInLine(tx, line);
    if (task === undefined) {
      leaveIfEmpty(tx, line);
      return undefined;
    }
    if (task.order_key === key || task.order_key <= (this.#heads.at(-1)?.key ?? task.order_key)) return task;
    this.#insert({ key: task.order_key, lane: line.lane, line, task });
    return undefined;
  }

  #lineOf({ lane, limits }: TaskRow): Line | null {
    return limits === null ? null : (this.#tx.context.limits.line(lane, limits) ?? null);
  }

  #insert(head: Head): void {
    let [low, high] = [0, this.#heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#heads[middle]?.key ?? 0) > head.key) low = middle + 1;
      else high = middle;
    }
    this.#heads.splice(low, 0, head);
  }
}

/** Nothing of this lane, but perhaps of its lines, may be given out now. */
function forgetIfEmpty(tx: Tx, lane: string): void {
  const waiting = "select 1 from tasks where status = 'pending' and held = 0 and limits is null and lane = ? limit 1";
  if (tx.get(waiting, lane) === undefined) tx.context.agents.waiting.delete(lane);
  if (tx.context.limits.waitsIn(lane)) return;
  if (tx.get("select 1 from lanes where lane = ?", lane) === undefined) return;
  tx.run("delete from lanes where lane = ?", lane);
}

/** Takes a line in which no task waits out of sight; false when one does. */
function leaveIfEmpty(tx: Tx, line: Line): boolean {
  line.least = leastInLine(tx, line);
  if (line.least < Number.POSITIVE_INFINITY) return false;
  const { limits } = tx.context;
  tx.touch();
  limits.leave(line);
  if (![...limits.linesOf(line.limits)].some(({ text }) => text === line.text)) clearLimit(tx, line);
  if (!waitsIn(tx, line.lane)) forgetIfEmpty(tx, line.lane);
  return true;
}
