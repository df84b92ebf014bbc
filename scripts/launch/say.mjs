// @ts-check

/**
 * Progress of the set-up. On stderr, because stdout belongs to the command that runs afterwards.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`Setting up: ${text}\n`);
}
