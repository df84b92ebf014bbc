/** Run with every test. */
export const FIXED: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8];

/** Seeds that once found something; they stay. */
export const FAILED_ONCE: readonly number[] = [];
