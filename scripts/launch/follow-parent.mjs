// How the launcher makes a child stop with it. The child also needs an IPC channel (stdio "ipc").
// @ts-check

/** The preload, as an option for Node. A URL, because NODE_OPTIONS splits at spaces. */
export const FOLLOW_PARENT = `--import=${new URL("./stop-with-parent.mjs", import.meta.url).href}`;

/** Tells the preload whom to follow. */
export function parentMark() {
  return { OPSPAWN_LAUNCHER: String(process.pid) };
}
