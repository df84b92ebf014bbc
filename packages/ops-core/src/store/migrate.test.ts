import assert from "node:assert/strict";
import { test } from "node:test";
import { checkApplied, checksumOf, type Migration, pendingMigrations } from "./migrate.ts";

const all: Migration[] = [
  { version: 1, file: "0001-a.sql", sql: "create table a (x);\n" },
  { version: 2, file: "0002-b.sql", sql: "create table b (x);\n" },
];
const checksums = new Map(all.map((migration) => [migration.version, checksumOf(migration)]));

test("a store needs the migrations after its own", () => {
  assert.deepEqual(pendingMigrations(all, 0), all);
  assert.deepEqual(pendingMigrations(all, 1), all.slice(1));
  assert.throws(() => pendingMigrations(all, 3), /newer version of Opspawn \(schema 3, this program knows 2\)/);
});

test("what was applied must be what this program would apply", () => {
  checkApplied(all, 2, checksums, "the folder");
  checkApplied(all, 1, new Map([[1, checksums.get(1) ?? ""]]), "the folder");
  checkApplied(all, 0, new Map(), "the folder");
  const changed = new Map([...checksums, [2, "other"]] as [number, string][]);
  assert.throws(() => checkApplied(all, 2, changed, "the folder"), /0002-b\.sql.*the folder/s);
  assert.throws(() => checkApplied(all, 2, new Map(), "the folder"), /0001-a\.sql/);
});

test("a checkout with other line ends has the same migrations", () => {
  const [first] = all;
  assert.ok(first);
  assert.equal(checksumOf({ ...first, sql: first.sql.replaceAll("\n", "\r\n") }), checksums.get(1));
});
