// Code that does not compile, and the compiler's messages for it: tests/types/. Code that compiles is in every other test.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { defineResource, type InputOf, Nullable, oneOf, type RecordOf } from "warren/resource";
import type { Expanded } from "../src/crud/expand";
import type { item } from "../src/domain/item";
import type { At, OneValue, Path, PathTo } from "../src/schema/paths";
import type { TypesOf } from "../src/schema/resource";
import { root } from "./support/processes";

// The compiler takes its time on a busy machine.
setDefaultTimeout(120_000);

test("a wrong declaration does not compile, and the message names what is wrong", async () => {
  const expected: { line: string; said: string }[] = [];
  for (const file of [...new Bun.Glob("tests/types/wrong-*.ts").scanSync(root)].sort()) {
    const lines = (await Bun.file(join(root, file)).text()).split("\n");
    for (const [index, line] of lines.entries()) {
      const said = /^ *\/\/ says: (.*)$/.exec(line)?.[1];
      if (said !== undefined) expected.push({ line: `${file}:${index + 2}`, said });
    }
  }
  const tsc = Bun.spawn(["bun", "x", "tsc", "--pretty", "false", "--project", "tests/types"], { cwd: root, stdout: "pipe" });
  const output = await new Response(tsc.stdout).text();
  // A message may go on in indented lines.
  const errors = [...output.matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*(?:\n .*)*)$/gm)];
  const found = errors.map(([, file, line, told]) => [`${file}:${line}`, told]);
  const missing = expected.filter(({ line, said }) => !found.some(([at, told]) => at === line && String(told).includes(said)));
  expect(missing).toEqual([]);
  expect(found.map(([line]) => line)).toEqual(expected.map(({ line }) => line));
});

/** Compiles only if both types are the same. */
const same = <A, B>(..._: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ["different types"]): void => {};

test("the types of a resource: input, fields and record", () => {
  const ticket = defineResource({
    name: "ticket",
    fields: {
      title: Type.String(),
      due: Nullable(Type.String()),
      hours: Type.Array(Type.Object({ who: Type.String(), spent: Type.Number() })),
    },
    managed: { state: { schema: oneOf("open", "closed"), initial: "open" } },
    derived: { spent: { schema: Type.Number(), from: ({ hours }) => hours.reduce((sum, { spent }) => sum + spent, 0) } },
    filters: { state: "prefix", spent: "range" },
    example: { title: "Door", due: null, hours: [] },
  });
  type Ticket = RecordOf<typeof ticket>;
  same<keyof Ticket, "id" | "title" | "due" | "hours" | "state" | "spent" | "version" | "createdAt" | "updatedAt">();
  same<Ticket["state"], "open" | "closed">();
  const input: InputOf<typeof ticket> = { title: "Door", hours: [] };
  expect(input).toBeDefined();
});

test("paths into a record, and the types there", () => {
  interface Order {
    readonly customer: number;
    readonly tags: readonly string[];
    readonly lines: readonly { readonly product: number; readonly sizes: readonly { readonly unit: "cm" | "in" }[] }[];
    readonly address: { readonly city: string; readonly door: string | null } | null;
  }
  same<
    Path<Order>,
    | "customer"
    | "tags"
    | "tags[]"
    | "lines"
    | "lines[].product"
    | "lines[].sizes"
    | "lines[].sizes[].unit"
    | "address"
    | "address.city"
    | "address.door"
  >();
  same<At<Order, "lines[].sizes[].unit">, "cm" | "in">();
  same<At<Order, "address.door">, string>();
  same<PathTo<Order, number>, "customer" | "lines[].product">();
  same<OneValue<PathTo<Order, string>>, "address.city" | "address.door">();
});

test("what `expand` adds: a record or null, or an array", () => {
  const ticket = defineResource({
    name: "ticket",
    fields: { item: Type.Integer(), lines: Type.Array(Type.Object({ thing: Type.Integer() })) },
    references: { item: { to: "item" }, "lines[].thing": { to: "thing", onDelete: "cascade" } },
    example: { item: 1, lines: [] },
  });
  type Added = NonNullable<Expanded<TypesOf<typeof ticket>>["expanded"]>;
  same<keyof Added, "item" | "lines[].thing">();
  same<Added["item"], RecordOf<typeof item> | null | undefined>();
  same<keyof NonNullable<Added["lines[].thing"]>[number], "id" | "version" | "createdAt" | "updatedAt">();
  same<unknown, Expanded<TypesOf<typeof item>>>();
  expect(ticket.references).toHaveLength(2);
});
