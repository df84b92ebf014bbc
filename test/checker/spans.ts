/** How many spans are open at once at the most. What ends when another begins makes room for it. */
export function mostAtOnce(spans: Iterable<{ readonly from: number; readonly to: number }>): number {
  const moments = [...spans].flatMap(({ from, to }) => [
    { at: from, change: 1 },
    { at: to, change: -1 },
  ]);
  moments.sort((a, b) => a.at - b.at || a.change - b.change);
  let [now, most] = [0, 0];
  for (const { change } of moments) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
