import assert from "node:assert/strict";
import type { ApprovalDecision, ApprovalLink } from "../../domain/approvals/approval.ts";
import { HOUR, MINUTE } from "../../domain/clock.ts";
import { workflow } from "./test-definitions.ts";
import type { Suite } from "./test-rig.ts";
import { need, type World, withCode } from "./test-world.ts";

const YES: ApprovalDecision = { approved: true, by: "link", comment: null };
const NO: ApprovalDecision = { approved: false, by: "link", comment: null };
const ASKING = workflow([{ taskId: "ok", approval: { message: "Publish?" } }]);

async function ask(w: World): Promise<string> {
  const { id } = await w.start(ASKING);
  const { items } = await w.store.approvals.list({ limit: 1 }, { session: id });
  return need(items[0], "approval").id;
}

async function link(w: World, approvalId: string, change: Partial<ApprovalLink> = {}): Promise<ApprovalLink> {
  const id = `lnk_${w.ids.uuid()}`;
  const made: ApprovalLink = {
    id,
    approvalId,
    decision: "any",
    hash: `hash of ${id}`,
    recipient: "carol",
    keyId: "key_1",
    expiresAt: w.clock.now() + HOUR,
    usedAt: null,
    ...change,
  };
  await w.store.approvals.addLink(made);
  return made;
}

const use = (w: World, { id }: ApprovalLink, decision = YES) => w.store.approvals.decideByLink(id, decision);
const refused = (w: World, made: ApprovalLink, decision = YES) =>
  assert.rejects(use(w, made, decision), withCode("approval_link_ended"));

/** Ways to decide once without a key. */
export const approvalLinksSuite: Suite = (on) => {
  on("a link decides once, and is kept with the time it did", async (w) => {
    const made = await link(w, await ask(w));
    const spare = await link(w, made.approvalId);
    assert.deepEqual(await w.store.approvals.link(made.id), made);
    const decided = await use(w, made);
    assert.deepEqual([decided.id, decided.status, decided.decidedBy], [made.approvalId, "approved", "link"]);
    assert.equal((await w.store.approvals.link(made.id))?.usedAt, w.clock.now());
    await refused(w, made);
    await refused(w, made, NO);
    await assert.rejects(use(w, spare, NO), withCode("approval_decided"));
    assert.equal((await w.store.approvals.link(spare.id))?.usedAt, null);
    assert.equal(await w.store.approvals.link("lnk_none"), null);
    await assert.rejects(w.store.approvals.decideByLink("lnk_none", YES), withCode("approval_link_ended"));
  });

  on("a link that is used twice in the same moment decides once", async (w) => {
    const made = await link(w, await ask(w));
    const answers = await Promise.allSettled([use(w, made), use(w, made)]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  on("a link under way when the process dies has decided and is used up, or neither", async (w) => {
    const made = await link(w, await ask(w));
    void w.raw.approvals.decideByLink(made.id, NO).catch(() => undefined);
    await w.crash();
    // Where the data is a connection, what was queued may still be written.
    await w.store.process.beat();
    const decided = (await w.store.approvals.get(made.approvalId))?.status === "rejected";
    assert.equal((await w.store.approvals.link(made.id))?.usedAt, decided ? w.clock.now() : null);
    if (!decided) await use(w, made, NO);
    await w.crash();
    await refused(w, made);
    assert.equal((await w.store.approvals.get(made.approvalId))?.status, "rejected");
  });

  on("a link can do what it was made for, and only while it lasts", async (w) => {
    const approvalId = await ask(w);
    const approve = await link(w, approvalId, { decision: "approve" });
    const reject = await link(w, approvalId, { decision: "reject" });
    const short = await link(w, approvalId, { expiresAt: w.clock.now() + MINUTE });
    await refused(w, approve, NO);
    await refused(w, reject, YES);
    w.clock.advance(MINUTE);
    await refused(w, short);
    await use(w, reject, NO);
  });

  on("a link ends with the key that made it", async (w) => {
    const approvalId = await ask(w);
    await w.store.keys.create(w.key("key_gone"));
    await w.store.keys.create({ ...w.key("key_short"), expiresAt: w.clock.now() + MINUTE });
    await w.store.keys.create(w.key("key_good"));
    const gone = await link(w, approvalId, { keyId: "key_gone" });
    const short = await link(w, approvalId, { keyId: "key_short" });
    const good = await link(w, approvalId, { keyId: "key_good" });
    await w.store.keys.revoke("key_gone");
    await refused(w, gone);
    w.clock.advance(MINUTE);
    await refused(w, short);
    await use(w, good);
  });

  on("links are made for what is still to be decided, and not without end", async (w) => {
    const [approvalId, other] = [await ask(w), await ask(w)];
    for (let n = 0; n < 100; n++) await link(w, approvalId);
    await assert.rejects(link(w, approvalId), withCode("too_many_links"));
    const last = await link(w, other);
    await use(w, last);
    await assert.rejects(link(w, other), withCode("approval_decided"));
    await assert.rejects(link(w, "apr_none"), withCode("approval_not_found"));
  });

  on("a decision by link on something else than was looked at leaves the link as it was", async (w) => {
    const made = await link(w, await ask(w));
    await assert.rejects(use(w, made, { ...YES, subjectHash: "other" }), withCode("approval_stale"));
    assert.equal((await use(w, made)).status, "approved");
  });
};
