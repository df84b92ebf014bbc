/** The beginning of a text of somebody else's, `max` UTF-16 units at most; a character that the cut halves is replaced. */
export function beginning(text: string, max: number): string {
  return text.slice(0, max).toWellFormed();
}

/** As `beginning`, with an ellipsis where something was cut off. */
export function excerpt(text: string, max: number): string {
  return text.length > max ? `${beginning(text, max)}...` : text;
}
