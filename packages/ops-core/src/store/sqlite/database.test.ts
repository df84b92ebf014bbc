import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { readMigrations } from "../migrate.ts";
import { Database } from "./database.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "opspawn-database-"));
  path = join(folder, "opspawn.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

function change(sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

function refusal(): { code: string; message: string } {
  try {
    new Database(path).close();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return assert.fail("it was opened");
}

test("data of this program is opened again, and remembers which migrations made it", () => {
  new Database(path).close();
  const db = new Database(path);
  const applied = db.all<{ key: string; value: string }>(
    "select key, value from meta where key like 'migration.%' order by length(key), key",
  );
  assert.deepEqual(
    applied.map(({ key }) => key),
    readMigrations(new URL("./migrations/", import.meta.url)).map(({ version }) => `migration.${version}`),
  );
  assert.ok(applied.length > 0);
  for (const { value } of applied) assert.match(value, /^[0-9a-f]{64}$/);
  db.close();
});

test("data made by another text of a migration is refused, with what to do, and left as it is", () => {
  new Database(path).close();
  change(
    "update meta set value = 'abc' where key = 'migration.1'; insert into meta (key, value) values ('mine', 'kept')",
  );
  const { code, message } = refusal();
  assert.equal(code, "internal");
  assert.match(message, /another build of Opspawn/);
  assert.match(message, /0001-initial\.sql/);
  assert.ok(message.includes(folder), "it names the folder");
  assert.match(message, /move the folder away/);
  const db = new DatabaseSync(path, { readOnly: true });
  assert.equal(db.prepare("select value from meta where key = 'mine'").get()?.value, "kept");
  db.close();
});

test("data from before migrations were remembered is refused alike, whatever tables it has", () => {
  new Database(path).close();
  change("delete from meta where key like 'migration.%'");
  assert.match(refusal().message, /another build of Opspawn/);
  change("drop table meta");
  assert.match(refusal().message, /another build of Opspawn/);
});

test("data of a newer version is refused", () => {
  new Database(path).close();
  change("pragma user_version = 9999");
  assert.match(refusal().message, /newer version/);
});
