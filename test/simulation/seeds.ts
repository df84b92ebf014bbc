/** Run with every test. The last two have what 7 and 8 have not: tools, forks, and links. */
export const FIXED: readonly number[] = [1, 2, 7, 8, 19, 27];

/**
 * Seeds that once found something; they stay. 17 and 26: a clock that was set back made what was ready wait. 154898407: the
 * judge did not know that a deadline ends an attempt before its timeout. 1034: an agent that left was given what the loss of
 * its work set free. 105, 120 and 123: the judge of order did not know that a round of a loop waits for its delay. 5007:
 * where items of an uncertain list were undone, its result was read as null. 322: the judge of undoing went by places in the
 * log, within one transition. 17 again: the judge took a task's deadline for its session's.
 * 5026: an agent that registers did not know that its slots are free when the answer was lost. 39: an agent that had told the
 * end of an attempt, and was sent it once more, took that for a task of its own. 71: the judge of what was undone counted an
 * item that could not be undone twice, because its list had been in doubt about another. 257: the judge of
 * reminders did not know that a clock may be set forward beyond the end of what is asked. 434: the judge of rates
 * went by another order of what begins at one moment than the one in which each had room. 1594087321: the judge of what was
 * undone counted a step as in doubt whose stand-in was; 1300793139: then it left one out that had been, too. 1300793112: a
 * tool that came back with fewer slots counted what it had been given before. 1213748433: the judge of the order in which
 * attempts are sent went by what arrived, and an attempt whose agent had just left was overtaken by the next one.
 * 747043675: the judge of links took a decision of which the server did not know whether it was written for one that was refused.
 */
export const FAILED_ONCE: readonly number[] = [
  17, 26, 154898407, 1034, 105, 120, 123, 5007, 322, 5026, 39, 71, 257, 434, 1594087321, 1300793139, 1300793112,
  1213748433, 747043675,
];
