import type { KeyView } from "@opspawn/contract";
import type { KeyRequest } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { collect, duration } from "../options.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

interface CreateOptions {
  readonly name: string;
  readonly scope: KeyRequest["scopes"];
  readonly agent?: string;
  readonly expires?: string;
}

/** `opspawn keys`: credentials. */
export function addKeys(program: Command, context: Context): void {
  const keys = noun(program, "keys", "Create, list and revoke API keys.", [
    "keys create --name ci --scope sessions:read",
    "keys list",
  ]);
  const create = keys
    .command("create")
    .description("Create a key. Its secret is all that goes to stdout, and is shown only now.")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--scope <scope>", "what it may do, such as sessions:write, or admin (repeatable)", collect)
    .option("--agent <id>", "it speaks for this agent alone")
    .option("--expires <time>", "such as 30d (default: never)", duration)
    .action(context.action(createKey));
  withExamples(create, [
    "keys create --name ci --scope sessions:read --scope sessions:write",
    "keys create --name ops --scope admin --expires 30d",
  ]);

  const list = withPaging(keys.command("list").description("List keys, newest first; secrets are not kept."));
  list.action(context.action(listKeys));
  withExamples(list, ["keys list"]);

  const revoke = keys
    .command("revoke <key>")
    .description("Revoke a key, by its id; it is refused from now on.")
    .action(
      context.action(async (call, id: string) => {
        const key = await call.client.keys.revoke(id);
        call.output.done(key, `Key ${key.keyId} (${key.name}) is revoked.`);
      }),
    );
  withExamples(revoke, ["keys revoke KEY"]);
}

async function createKey(call: Call, options: CreateOptions): Promise<void> {
  const { name, scope, agent, expires } = options;
  const created = await call.client.keys.create({ name, scopes: scope, agentId: agent, expiresIn: expires });
  call.say(`Key ${created.key.keyId} (${created.key.name}). Keep the secret now; it is not shown again.`);
  call.output.done(created, created.secret);
}

function listKeys(call: Call, options: PageOptions): Promise<void> {
  const now = call.io.clock.now();
  const columns: Column<KeyView>[] = [
    { title: "KEY", value: (key) => key.keyId, least: ID_WIDTH },
    { title: "NAME", value: (key) => key.name, least: 8 },
    { title: "AGE", value: (key) => age(key.createdAt, now) },
    { title: "STATUS", value: statusOf, tone: (key) => (key.revokedAt === null ? undefined : "warn") },
    { title: "SCOPES", value: (key) => key.scopes.join(" "), least: 8 },
  ];
  return showList(call, options, {
    page: (query) => call.client.keys.list(query),
    columns,
    empty: "There are no keys.",
  });
}

function statusOf(key: KeyView): string {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt === null ? "valid" : `to ${key.expiresAt.slice(0, 10)}`;
}
