/**
 * The beginning of a text of somebody else's, `max` UTF-16 units at most, as the platform takes it: a character that the
 * cut halves, lone surrogates and NUL are replaced by U+FFFD.
 */
export function beginning(text: string, max: number): string {
  return text.slice(0, max).toWellFormed().replaceAll("\0", "\uFFFD");
}

/** As `beginning`, with an ellipsis where something was cut off. */
export function excerpt(text: string, max: number): string {
  return text.length > max ? `${beginning(text, max)}...` : text;
}
