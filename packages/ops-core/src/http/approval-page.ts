import { createHash } from "node:crypto";
import { formatTime } from "@opspawn/contract";
import type { Approval } from "../domain/approvals/approval.ts";
import type { OpenedLink } from "../domain/approvals/links.ts";
import { readStored } from "../domain/stored-json.ts";

const STYLE = `:root{color-scheme:light dark;--line:#8886}
body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
h1{font-size:1.3rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{opacity:.7}dd{margin:0}
.message,pre{white-space:pre-wrap;border:1px solid var(--line);border-radius:.5rem;padding:.8rem;margin:1rem 0}
.message{font-size:1.15rem}pre{max-height:24rem;overflow:auto;font-size:.85rem}
label{display:block}textarea{font:inherit;box-sizing:border-box;width:100%;min-height:5rem;margin:.3rem 0 1rem}
button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem;border:1px solid var(--line);border-radius:.5rem;cursor:pointer}
.approve{background:#1a7f37;color:#fff}.reject{background:#b3261e;color:#fff}.small{font-size:.85rem;opacity:.7}`;

/** Nothing is loaded, run or framed, and the form leads nowhere else. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // The address is a secret, and the page belongs to whoever opened it.
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

/** The question, and the form that answers it: it is sent to the address of the page. */
export function decisionPage({ link, approval }: OpenedLink): string {
  const { message, details, expiresAt, subjectHash } = approval;
  const [yes, no] = approval.taskId === null ? ["Approve", "Reject"] : ["It happened", "It did not happen"];
  const facts: [string, string][] = [
    ["Workflow", approval.workflowId],
    ["Step", approval.stepId],
    ["Session", approval.sessionId],
    ["Asked", timeText(approval.requestedAt)],
    ...(expiresAt === null ? [] : [["Expires", timeText(expiresAt)] satisfies [string, string]]),
  ];
  const shown = facts.map(([term, value]) => `<dt>${term}</dt><dd>${escaped(value)}</dd>`).join("");
  return page(
    "A decision is needed",
    `<div class="message" dir="auto">${escaped(message)}</div>
${details === null ? "" : `<pre dir="auto">${escaped(JSON.stringify(readStored(details), null, 2))}</pre>`}
<dl>${shown}</dl>
<form method="post">
<input type="hidden" name="subjectHash" value="${escaped(subjectHash)}">
<label for="comment">Comment (may stay empty)</label>
<textarea id="comment" name="comment" maxlength="10000"></textarea>
${link.decision === "reject" ? "" : button("approve", yes)}${link.decision === "approve" ? "" : button("reject", no)}
</form>
<p class="small">This link is for ${escaped(link.recipient)}. It can be used once, until ${timeText(link.expiresAt)}.</p>`,
  );
}

/** What became of the question. */
export function decidedPage({ status, comment }: Approval): string {
  const said = comment === null ? "" : `<div class="message" dir="auto">${escaped(comment)}</div>`;
  return page(`The request is ${status}`, `<p>Your decision is final. You can close this page.</p>${said}`);
}

/** There is nothing to decide here. */
export function noticePage(title: string, text: string): string {
  return page(title, `<p>${escaped(text)}</p>`);
}

/** For people, and not to be broken over two lines. */
function timeText(micros: number): string {
  return `${formatTime(micros).slice(0, 19).replace("T", "\u00a0")}\u00a0UTC`;
}

function button(decision: "approve" | "reject", label = ""): string {
  return `<button class="${decision}" name="decision" value="${decision}">${label}</button>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} - Opspawn</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${body}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
// Marks that reorder what stands beside them: a text could show as another one.
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from elsewhere, as text. */
function escaped(text: string): string {
  return text.replace(REORDERING, "").replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
