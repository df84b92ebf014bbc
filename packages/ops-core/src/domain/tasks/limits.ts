/** What limits a task: how many of its key run at once, and how many begin within `per` microseconds. */
export interface TaskLimits {
  readonly concurrency: ConcurrencyLimit | null;
  readonly rate: RateLimit | null;
}

export interface ConcurrencyLimit {
  readonly key: string;
  readonly limit: number;
}

export interface RateLimit extends ConcurrencyLimit {
  readonly per: number;
}

/** The text by which tasks of the same limits are known to each other: they wait in one line. */
export function limitsText({ concurrency, rate }: TaskLimits): string {
  return JSON.stringify({
    ...(concurrency === null ? {} : { concurrency: { key: concurrency.key, limit: concurrency.limit } }),
    ...(rate === null ? {} : { rate: { key: rate.key, limit: rate.limit, per: rate.per } }),
  });
}

export function readLimits(text: string): TaskLimits {
  return { concurrency: null, rate: null, ...(JSON.parse(text) as Partial<TaskLimits>) };
}
