/** How the server ends. 4 to 6 have a meaning in the command line client, which passes these on. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** Bad flags or settings. */
  settings: 2,
  addressTaken: 3,
  dataTaken: 7,
} as const;
