// bun run new: the files that it writes work at once, and it never writes over a file.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseField } from "../src/commands/new/fields";
import { constantOf, pluralOf } from "../src/commands/new/names";
import type { Ended } from "./support/command";
import { temporaryFolder } from "./support/folder";
import { describeInFull } from "./support/in-full";
import { endAll, run } from "./support/processes";
import { copyProject } from "./support/project-copy";

// Each command starts three programs.
setDefaultTimeout(120_000);

let project: ReturnType<typeof copyProject>;
function useProject(): void {
  let template: ReturnType<typeof copyProject>;
  beforeAll(async () => {
    template = await projectOfItems();
  });
  beforeEach(() => {
    project = temporaryFolder();
    cpSync(template.path, project.path, { recursive: true, verbatimSymlinks: true });
  });
  afterEach(async () => {
    await endAll();
    project.remove();
  });
  afterAll(() => template.remove());
}

/** Creates a copy of the project in which `item` is the only resource, whatever has been added to this one. */
async function projectOfItems(): Promise<ReturnType<typeof copyProject>> {
  const copy = copyProject();
  for (const folder of ["routes", "consumers", "src/domain", "contracts"]) rmSync(join(copy.path, folder), { recursive: true });
  for (const folder of ["consumers", "tests"]) mkdirSync(join(copy.path, folder));
  const files = {
    "src/domain/item.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const item = defineResource({ name: "item", fields: { name: Type.String({ maxLength: 200 }) }, example: { name: "Sample Item" } });
`,
    "routes/items.ts": `import { crud } from "warren/crud";
import { item } from "../src/domain/item";

export default crud(item);
`,
    // Without the preloaded file, which belongs to Warren's own tests.
    "bunfig.toml": '[test]\nroot = "./tests"\n',
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(join(copy.path, name), text);
  project = copy;
  await succeed(bun("src/commands/generate.ts"));
  await succeed(bun("src/commands/contracts.ts", "update"));
  return copy;
}

async function bun(...words: string[]): Promise<Ended> {
  const running = run(words, { cwd: project.path });
  const code = await running.exited;
  return { code, stdout: running.stdout.join("\n"), stderr: running.stderr.join("\n") };
}
const create = (...words: string[]) => bun("src/commands/new.ts", ...words);
const fileText = (name: string) => Bun.file(join(project.path, name)).text();

/** Runs a command, which must succeed. Returns what it prints. */
async function succeed(command: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await command;
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  return stdout + stderr;
}

describeInFull("in a project", () => {
  useProject();

  test("a resource, its action and a consumer work at once, and each says what is next", async () => {
    const fields = ["title:string", "dueAt:date-time?", "state:open|closed", "item:->item", "after:ref(ticket)?"];
    expect(await succeed(create("resource", "ticket", ...fields))).toContain("bun test tests/tickets.test.ts");
    expect(await succeed(create("action", "ticket", "close"))).toContain("POST /tickets/:id/close");
    expect(await succeed(create("consumer", "reminders", "ticket.*"))).toContain("bun run consumers/reminders.ts");
    expect(await fileText("src/domain/ticket.ts")).toContain('state: oneOf("open", "closed"),');
    expect(await fileText("src/domain/ticket.ts")).toContain('after: { to: "ticket", onDelete: "null" },');
    expect(await fileText("routes/tickets/[id]/close.ts")).toContain('return { state: "closed" };');
    expect(await succeed(bun("test"))).toMatch(/ 6 pass[\s\S]* 0 fail/);
    await succeed(bun("src/commands/generate.ts", "--check"));
    await succeed(bun("src/commands/contracts.ts", "check"));
  });

  test("a file that exists is never written over, and then nothing is written", async () => {
    await Bun.write(join(project.path, "tests/tickets.test.ts"), "// mine\n");
    expect(await create("resource", "ticket", "title:string")).toMatchObject({
      code: 1,
      stderr: "tests/tickets.test.ts exists already. Nothing was written.",
    });
    expect([await fileText("tests/tickets.test.ts"), existsSync(join(project.path, "src/domain/ticket.ts"))]).toEqual(["// mine\n", false]);
    mkdirSync(join(project.path, "shop"));
    await Bun.write(join(project.path, "shop/.env"), "PORT=1\n");
    expect(await create("service", "shop")).toMatchObject({ code: 1, stderr: expect.stringContaining("shop is not empty.") });
  });
});

describeInFull("mistakes name what is possible:", () => {
  useProject();

  test.each([
    [["thing"], 'Unknown kind "thing": use resource, action, consumer or service.'],
    [["resource", "ticket"], 'The resource "ticket" needs a field, such as title:string.'],
    [["resource", "Ticket", "title:string"], 'Invalid resource name "Ticket". Use lower-case letters'],
    [["resource", "ticket", "id:string"], 'the field name "id" is reserved'],
    [["resource", "ticket", "a:string", "a:text"], 'The field "a" is given twice.'],
    [["resource", "thing", "a:string", "--plural", "items"], 'has the resource "item" (plural "items") already'],
    [["resource", "metric", "value:number"], "The path /metrics belongs to a route of every service."],
    [["resource", "ticket", "project:->projct"], 'There is no resource "projct" in src/domain/. Known: item.'],
    [["resource", "ticket", "after:->ticket"], 'The reference "after" to "ticket" itself must be optional'],
    [["action", "tikcet", "close"], 'There is no resource "tikcet" in src/domain/. Known: item.'],
    [["action", "item", "Close"], '"Close" cannot name an action.'],
    [["consumer", "a", "ticket.created"], 'Unknown event type "ticket.created". Known: item.created, item.updated, item.deleted'],
    [["consumer", "a_b", "item.created"], '"a_b" cannot name a consumer.'],
    [["service", "Shop"], '"Shop" cannot name a project.'],
    [["consumer", "a", "item.created", "--plural", "b"], "--plural is an option of: new resource"],
  ])("%j", async (words, message) => {
    const { code, stderr } = await create(...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test("the path of a route of your own", async () => {
    await Bun.write(join(project.path, "routes/tickets.ts"), await fileText("routes/items.ts"));
    const { code, stderr } = await create("resource", "ticket", "title:string");
    expect([code, stderr]).toEqual([2, expect.stringContaining("The path /tickets belongs to routes/tickets.ts.")]);
  });
});

describe("a field", () => {
  test.each([
    ["name:string", "Type.String({ minLength: 1, maxLength: 200 })", "Sample name"],
    ["dueAt:date-time?", 'Nullable(Type.String({ format: "date-time" }))', "2026-02-18T18:23:45.123Z"],
    ["state:open|in-work", 'oneOf("open", "in-work")', "open"],
    ["sizes:s|m[]?", 'Nullable(Type.Array(oneOf("s", "m"), { maxItems: 100 }))', ["s"]],
    ["count:integer", "Type.Integer()", 1],
    ["project:->project", "Type.Integer({ minimum: 1 })", 1],
    ["projects:ref(project)[]", "Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 100 })", [1]],
    ["parent:->project?", "Nullable(Type.Integer({ minimum: 1 }))", null],
  ])("%s", (text, schema, example) => {
    expect(parseField(text)).toMatchObject({ schema, example });
  });

  test.each([
    ["title", '"title" is not a field. Use NAME:TYPE, such as title:string. Types: string, text, '],
    ["title:strng", 'Unknown type "strng" of the field "title". Types: string, text, '],
    ["state:open", "in quotes: 'state:open|other'"],
    ["a:toString", 'Unknown type "toString"'],
    ["state:a||b", "use different words"],
    ["state:a|a", "use different words"],
    ["due?:date", "put the ? at the end: due:date?"],
    ["due-at:date", '"due-at" cannot name a field.'],
  ])("%s is refused", (text, message) => {
    expect(() => parseField(text)).toThrow(message);
  });
});

test.each([
  ["ticket", "tickets"],
  ["category", "categories"],
  ["day", "days"],
  ["box", "boxes"],
  ["branch", "branches"],
])("the plural of %s is %s", (name, plural) => {
  expect(pluralOf(name)).toBe(plural);
});

test.each([
  ["order_line", "orderLine"],
  ["class", "classResource"],
  ["test", "testResource"],
  ["price-watch", "priceWatch"],
])("the constant of %s is %s", (name, constant) => {
  expect(constantOf(name)).toBe(constant);
});
