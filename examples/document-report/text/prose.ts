const CODE_SPAN = /(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g;

const ENTITIES: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
};

/**
 * Takes the markup out of a block's text and keeps what is read aloud: link texts stay, images and addresses go, code
 * spans stay between single backticks. Line breaks stay where they were.
 */
export function proseOf(markdown: string): string {
  let prose = "";
  let end = 0;
  for (const span of markdown.matchAll(CODE_SPAN)) {
    prose += withoutMarkup(markdown.slice(end, span.index));
    prose += `\`${(span[2] ?? "").replaceAll("`", "'")}\``;
    end = span.index + span[0].length;
  }
  // Links may hold code spans, so they are resolved last, over the whole text.
  return withoutLinks(prose + withoutMarkup(markdown.slice(end)));
}

function withoutMarkup(text: string): string {
  return text
    .replace(/(?<!\]\(|<)\bhttps?:\/\/[^\s)]+[^\s).,;:!?]/g, "")
    .replace(/<(?:https?:\/\/|mailto:)[^>\s]*>/g, "")
    .replace(/<\/?[a-zA-Z][^<>]*>/g, "")
    .replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/(?<![\w\\])(\*{1,3}|_{1,3}|~~)(?=\S)|(?<=\S)(?<!\\)(\*{1,3}|_{1,3}|~~)(?!\w)/g, "")
    .replace(/\\([!-/:-@[-`{-~])/g, "$1");
}

function withoutLinks(text: string): string {
  return text
    .replace(/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])/g, keepBreaks)
    .replace(/\[([^\]]*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+"[^"]*")?\)|\[[^\]]*\])/g, "$1");
}

function keepBreaks(match: string): string {
  return match.replace(/[^\n]/g, "");
}
