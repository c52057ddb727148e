const maxLength = 64;

/** The candidate that `text` is most likely a slip of; `undefined` when none is near. Letter case does not count. */
export function suggest(text: string, candidates: Iterable<string>): string | undefined {
  if (text.length > maxLength) return undefined;
  const wanted = text.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > maxLength) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance: how many characters must be added, dropped or replaced. Time is the product of lengths. */
export function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, fromChar] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, toChar] of Array.from(to).entries()) {
      const replaced = (previous[column] ?? 0) + (fromChar === toChar ? 0 : 1);
      const dropped = (previous[column + 1] ?? 0) + 1;
      const added = (current[column] ?? 0) + 1;
      current.push(Math.min(replaced, dropped, added));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
