import type { Pause } from "../../domain/sessions/session.ts";
import type { SessionUnit } from "./session-unit.ts";

/** Why the session is paused, from now on. */
export function notePause(session: SessionUnit, why: Pause): void {
  const { sessionId, by, reason } = why;
  session.change({ pause: JSON.stringify(why) });
  session.event("session.paused", { by, reason, ...(sessionId === session.id ? {} : { with: sessionId }) });
}

/** A session that is a step of a paused one begins paused. */
export function beginPaused(child: SessionUnit, parent: SessionUnit): void {
  if (parent.row.pause === null) return;
  notePause(child, JSON.parse(parent.row.pause) as Pause);
  child.change({ status: "paused" });
}
