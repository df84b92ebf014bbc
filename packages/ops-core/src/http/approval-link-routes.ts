import { ERRORS, type ErrorCode, OpspawnError } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LINK_PATH, type OpenedLink, openLink, useLink } from "../domain/approvals/links.ts";
import type { Ports } from "../domain/ports.ts";
import { decidedPage, decisionPage, noticePage, PAGE_HEADERS } from "./approval-page.ts";
import { rawBody, SMALLEST_LIMIT } from "./raw-body.ts";

const COMMENT_MAX = 10_000;
const FORM = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i;

interface Page {
  readonly status: number;
  readonly code?: ErrorCode;
  readonly html: string;
}

/**
 * What the links of approvals lead to: a page that asks, and a form that decides. The token in the address is the only
 * credential, and the form's protection as well: who can forge the request has the link. Opening the page changes
 * nothing, however often mail scanners and previews do.
 */
export function addApprovalLinkRoutes(app: FastifyInstance, ports: Ports): void {
  const url = `${LINK_PATH}/:linkId`;
  app.get(url, { config: { operation: "approvals.open-link" } }, (request, reply) =>
    serve(reply, async () => {
      const opened = await opening(ports, request);
      return closedPage(opened) ?? { status: 200, html: decisionPage(opened) };
    }),
  );
  const settings = { config: { operation: "approvals.use-link" }, bodyLimit: SMALLEST_LIMIT };
  app.post(url, settings, (request, reply) =>
    serve(reply, async () => {
      const opened = await opening(ports, request);
      return closedPage(opened) ?? decide(ports, opened, request);
    }),
  );
}

async function serve(reply: FastifyReply, answer: () => Promise<Page>): Promise<FastifyReply> {
  const { status, code, html } = await answer().catch(errorPage);
  if (code !== undefined) reply.header("x-error-code", code);
  return reply.code(status).headers(PAGE_HEADERS).send(html);
}

/** @throws OpspawnError `approval_link_not_found` */
function opening(ports: Ports, request: FastifyRequest): Promise<OpenedLink> {
  const { linkId } = request.params as { linkId: string };
  const { token } = request.query as { token?: unknown };
  return openLink(ports, linkId, typeof token === "string" ? token : "");
}

async function decide(ports: Ports, opened: OpenedLink, request: FastifyRequest): Promise<Page> {
  const form = readForm(request);
  const decision = form.get("decision");
  const approved = decision === "approve";
  const allowed = opened.link.decision;
  if (!approved && decision !== "reject") throw invalid("Choose one of the buttons.");
  if (allowed !== "any" && allowed !== decision) throw invalid(`This link can only ${allowed}.`);
  const comment = (form.get("comment") ?? "").replaceAll("\r\n", "\n").trim();
  if (comment.length > COMMENT_MAX) throw invalid(`The comment may have ${COMMENT_MAX} characters.`);
  if (comment.includes("\u0000")) throw invalid("The comment must not hold NUL characters.");
  const subjectHash = form.get("subjectHash") ?? "";
  const approval = await useLink(ports, opened, { approved, comment: comment === "" ? null : comment, subjectHash });
  return { status: 200, html: decidedPage(approval) };
}

function readForm(request: FastifyRequest): URLSearchParams {
  if (!FORM.test(request.headers["content-type"] ?? "")) {
    throw new OpspawnError("unsupported_media_type", "Send the form of the page.");
  }
  return new URLSearchParams(rawBody(request).toString("utf8"));
}

function invalid(message: string): OpspawnError {
  return new OpspawnError("invalid_request", message);
}

/** Null when there still is something to decide. */
function closedPage({ state, approval }: OpenedLink): Page | null {
  const outcome = approval.status === "pending" ? "" : ` The request is ${approval.status}.`;
  switch (state) {
    case "open":
      return null;
    case "decided":
      return notice("approval_decided", "There is nothing to decide any more", `The request is ${approval.status}.`);
    case "used":
      return notice("approval_link_ended", "This link has been used", `A link can be used once.${outcome}`);
    case "expired":
      return notice("approval_link_ended", "This link has expired", "Ask for a new one.");
    case "withdrawn":
      return notice("approval_link_ended", "This link was withdrawn", "The key that made it is not valid any more.");
  }
}

function errorPage(error: unknown): Page {
  if (!(error instanceof OpspawnError) || error.code === "internal") throw error;
  return notice(error.code, "That did not work", `${error.message} ${ERRORS[error.code].help}`);
}

function notice(code: ErrorCode, title: string, text: string): Page {
  return { status: ERRORS[code].status, code, html: noticePage(title, text) };
}
