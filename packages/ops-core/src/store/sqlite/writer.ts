import { OpspawnError } from "@opspawn/contract";
import type { Hints } from "../../domain/store.ts";
import type { Database } from "./database.ts";
import { Tx, type TxContext } from "./tx.ts";

/** In which order the transitions of one batch run: signs of life and outcomes before what they would expire. */
export type Urgency = "outcome" | "normal" | "expiry" | "intake";
const ORDER: Record<Urgency, number> = { outcome: 0, normal: 1, expiry: 2, intake: 3 };

/**
 * A batch this large says that requests come faster than commits end. Then the next one waits for a few turns of the
 * event loop: what comes in meanwhile shares its fsync and the pages it writes. An idle server does not wait: it commits
 * at once the first that comes in a turn, and sends out what that set free before it answers.
 */
const BUSY_BATCH = 4;
const BUSY_TURNS = 10;

/** More waiting intake than this is refused, so that memory and latency stay bounded. */
const MAX_QUEUED_INTAKE = 10_000;

/** A transition reads, decides and writes synchronously; whatever it throws undoes all it wrote. */
export type Transition<T> = (tx: Tx) => T;

interface Queued {
  readonly urgency: Urgency;
  readonly transition: Transition<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Done {
  readonly queued: Queued;
  readonly tx: Tx;
  readonly ok: boolean;
  readonly value: unknown;
}

/**
 * One writer with group commit: the transitions queued in one turn of the event loop share a transaction, and every
 * promise settles after COMMIT.
 */
export class Writer {
  readonly #db: Database;
  readonly #context: TxContext;
  readonly #committed: (hints: Hints) => void;
  #queue: Queued[] = [];
  #scheduled = false;
  #servedAtOnce = false;
  #lastBatch = 0;
  #intake = 0;
  /** Batches that are committed and not answered yet. */
  #unanswered = 0;
  #closed = false;
  /** Counters for the benchmarks. */
  readonly stats = { commits: 0, transitions: 0 };

  constructor(db: Database, context: TxContext, committed: (hints: Hints) => void) {
    this.#db = db;
    this.#context = context;
    this.#committed = committed;
  }

  /** Whether something is still to be written, or to be answered, without time passing. */
  get isBusy(): boolean {
    return this.#queue.length + this.#unanswered > 0;
  }

  /** Errors: `overloaded`, `shutting_down`, `storage_full`, `unavailable` (outcome unknown), or what `transition` throws. */
  submit<T>(urgency: Urgency, transition: Transition<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new OpspawnError("shutting_down", "The server is stopping."));
    if (urgency === "intake") {
      if (this.#intake >= MAX_QUEUED_INTAKE) {
        return Promise.reject(
          new OpspawnError("overloaded", "Too many requests wait to be written.", { retryAfter: 1 }),
        );
      }
      this.#intake += 1;
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ urgency, transition, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Writes what is queued and refuses everything after. */
  close(): void {
    if (this.#queue.length > 0) this.#flush()();
    this.#closed = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#lastBatch >= BUSY_BATCH) this.#flushAfter(BUSY_TURNS);
    else if (this.#servedAtOnce) this.#flushAfter(1);
    else queueMicrotask(() => this.#flushAtOnce());
  }

  #flushAtOnce(): void {
    this.#servedAtOnce = true;
    const answer = this.#flush();
    this.#unanswered += 1;
    setImmediate(() => {
      this.#servedAtOnce = false;
      this.#unanswered -= 1;
      answer();
    });
  }

  #flushAfter(turns: number): void {
    setImmediate(() => (turns > 1 ? this.#flushAfter(turns - 1) : this.#flush()()));
  }

  /** Commits the queue and passes on what it set free. What is returned answers those who wait for it. */
  #flush(): () => void {
    this.#scheduled = false;
    const batch = this.#queue;
    this.#queue = [];
    this.#intake = 0;
    // The wake-up of a queue that closing has emptied.
    if (batch.length === 0) return () => undefined;
    if (batch.length > 1) batch.sort((a, b) => ORDER[a.urgency] - ORDER[b.urgency]);
    let done: Done[];
    try {
      done = this.#commit(batch);
    } catch (error) {
      this.#context.forget();
      const failure = error instanceof OpspawnError ? error : commitError(error);
      return () => {
        for (const queued of batch) queued.reject(failure);
      };
    }
    this.#context.failpoint?.("store.after-commit");
    this.#lastBatch = batch.length;
    this.stats.commits += 1;
    this.stats.transitions += batch.length;
    for (const hints of mergedHints(done)) this.#committed(hints);
    return () => {
      for (const { queued, ok, value } of done) ok ? queued.resolve(value) : queued.reject(value);
    };
  }

  /**
   * Most batches hold nothing that fails after it has written, so the first try goes without savepoints; if one does,
   * the batch is rolled back and run again with one around each transition.
   */
  #commit(batch: readonly Queued[]): Done[] {
    const done = this.#run(batch, false);
    if (done !== null) return done;
    this.#context.forget();
    const apart = this.#run(batch, true);
    if (apart === null) throw new Error("a savepoint did not hold");
    return apart;
  }

  /** Null when a transition could not be taken back alone; nothing of the batch remains then. */
  #run(batch: readonly Queued[], savepoints: boolean): Done[] | null {
    this.#context.promised = 0;
    this.#db.transaction("begin immediate");
    try {
      const done: Done[] = [];
      for (const queued of batch) {
        const applied = this.#apply(queued, savepoints);
        if (applied === null) {
          this.#db.transaction("rollback");
          return null;
        }
        done.push(applied);
      }
      this.#context.failpoint?.("store.before-commit");
      this.#db.transaction("commit");
      return done;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.transaction("rollback");
      throw error;
    }
  }

  #apply(queued: Queued, savepoint: boolean): Done | null {
    const tx = new Tx(this.#db, this.#context, savepoint);
    try {
      const value = queued.transition(tx);
      tx.finish();
      this.#context.promised += tx.hints.claimed.length;
      return { queued, tx, ok: true, value };
    } catch (error) {
      // On a full disk SQLite rolls back everything, not only this savepoint: then nothing of the batch holds.
      if (!this.#db.inTransaction) throw error;
      if (!tx.undo()) return null;
      return { queued, tx, ok: false, value: error instanceof OpspawnError ? error : transitionError(error) };
    }
  }
}

function* mergedHints(done: readonly Done[]): Iterable<Hints> {
  const kept = done.filter(({ ok, tx }) => ok && tx.hints.any);
  const [first] = kept;
  if (first === undefined) return;
  const { hints } = first.tx;
  for (const { tx } of kept.slice(1)) hints.add(tx.hints);
  hints.forgetEnded();
  yield hints;
}

function transitionError(error: unknown): OpspawnError {
  if (isFull(error)) return full(error);
  return new OpspawnError("internal", "The change could not be applied.", { cause: error });
}

function commitError(error: unknown): OpspawnError {
  if (isFull(error)) return full(error);
  return new OpspawnError("unavailable", "The change could not be written; its outcome is unknown.", { cause: error });
}

function full(cause: unknown): OpspawnError {
  return new OpspawnError("storage_full", "The disk is full; nothing was changed.", { cause });
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /disk is full|SQLITE_FULL/.test(error.message);
}
