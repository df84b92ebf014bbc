// @ts-check

/** Set-up cannot go on; the message is for the person at the keyboard and says what to do. */
export class SetUpError extends Error {}
