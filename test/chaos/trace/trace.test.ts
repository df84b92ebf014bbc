import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOrder } from "./order.ts";
import { parseTrace } from "./parse.ts";

const WAL = "17</data/opspawn.db-wal>";
const TCP = "23<TCP:[127.0.0.1:8000->127.0.0.1:5000]>";
const write = `7 01:02:03.000001 pwrite64(${WAL}, "..mark-1..", 4096, 32) = 4096`;
const sync = `7 01:02:03.000002 fdatasync(${WAL}) = 0`;
const send = `7 01:02:03.000003 writev(${TCP}, [{iov_base="HTTP/1.1 202 Accepted\\r\\n{\\"sessionId\\":\\"s-1\\"}", iov_len=40}], 1) = 40`;
const promise = { what: "the 202", sent: ["HTTP/1.1 202", '"sessionId":"s-1"'], stored: "mark-1" };

function judge(...lines: string[]) {
  return checkOrder(parseTrace(lines.join("\n")), [promise]);
}

test("an answer that leaves after the write and the sync of its group is as it should be", () => {
  assert.deepEqual(judge(write, sync, send), { shown: 1, findings: [] });
});

test("an answer that leaves before the sync is found", () => {
  assert.deepEqual(judge(write, send, sync).findings, ["the 202 left before it was synced"]);
});

test("a sync before the write is not its sync", () => {
  assert.deepEqual(judge(sync, write, send).findings, ["the 202 left before it was synced"]);
});

test("an answer that leaves before the write is found", () => {
  assert.deepEqual(judge(sync, send, write, sync).findings, ["the 202 left before it was written"]);
  assert.deepEqual(judge(sync, send).findings, ["the 202 left before it was written"]);
});

test("an answer that never left shows nothing", () => {
  assert.deepEqual(judge(write, sync), { shown: 0, findings: ["the 202 was never seen to leave"] });
});

test("a sync counts from its return, which may stand on a later line than its call", () => {
  const begun = `8 01:02:03.000002 fdatasync(${WAL} <unfinished ...>`;
  const resumed = "8 01:02:03.000009 <... fdatasync resumed>) = 0";
  assert.equal(judge(write, begun, resumed, send).shown, 1);
  assert.deepEqual(judge(write, begun, send, resumed).findings, ["the 202 left before it was synced"]);
});

test("files other than the log, and sockets other than TCP, say nothing", () => {
  const calls = parseTrace(
    [
      '7 01:02:03.000001 pwrite64(16</data/opspawn.db>, "..mark-1..", 4096, 0) = 4096',
      "7 01:02:03.000002 fdatasync(16</data/opspawn.db>) = 0",
      '7 01:02:03.000003 write(4<anon_inode:[eventfd]>, "1", 8) = 8',
      '7 01:02:03.000004 write(1</data/server.log>, "HTTP/1.1 202 s-1", 16) = 16',
    ].join("\n"),
  );
  assert.deepEqual(calls, []);
});
