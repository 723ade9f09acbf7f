// The types that openapi-typescript makes of the document, as a client in TypeScript uses them.
import { afterAll, beforeAll, expect, mock, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { ts } from "@ts-morph/common";
import { documentAt } from "./support/documents";
import { temporaryFolder } from "./support/folder";
import { root, run } from "./support/processes";

// A compiler takes its time on a busy machine.
setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  folder = temporaryFolder();
  // It needs the API of the compiler, which TypeScript 7 does not have.
  mock.module("typescript", () => ({ ...ts, default: ts }));
  const { default: typesOf, astToString } = await import("openapi-typescript");
  await Bun.write(join(folder.path, "api.d.ts"), astToString(await typesOf(await documentAt("/swagger/json"))));
});
afterAll(() => folder.remove());

/** The compiler's complaints about a program that uses the types. */
async function complaints(program: string): Promise<readonly string[]> {
  await Bun.write(
    join(folder.path, "client.ts"),
    `import type { components, paths } from "./api";\ntype S = components["schemas"];\n${program}`,
  );
  const compiler = run(
    [join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--exactOptionalPropertyTypes", "client.ts"],
    {
      cwd: folder.path,
    },
  );
  await compiler.exited;
  return compiler.stdout.filter((line) => line.includes("error TS"));
}

test("a body needs only what a client has to send, at every depth and in every operation", async () => {
  expect(
    await complaints(`
      export const item: S["ItemInput"] = { name: "a" };
      export const order: S["OrderInput"] = { customer: "a", lines: [{ item: 1, quantity: 1 }], address: { street: "a", city: "b" } };
      export const parcel: S["ParcelInput"] = { title: "a" };
      export const patch: S["OrderPatch"] = { address: { city: "b" } };
      type Body<P extends keyof paths> = paths[P] extends { post: { requestBody: { content: { "application/json": infer B } } } } ? B : never;
      export const bulk: Body<"/items/bulk"> = [{ name: "a" }];
      export const replay: Body<"/replays"> = { queue: "a" };
      export const redrive: Body<"/dead-letters/{queue}/redrive"> = {};
      export const query: paths["/items"]["get"]["parameters"]["query"] = {};
      export const list: paths["/orders"]["get"]["parameters"]["query"] = {
        state: ["open", "paid"], "recipient.phone.null": "true", customer: "A", sort: "-state,createdAt", search: "main", count: true,
      };
    `),
  ).toEqual([]);
});

test("an answer has everything", async () => {
  expect(
    await complaints(`
      declare const item: S["Item"];
      export const known: string | null = item.description;
      declare const order: S["Order"];
      export const state: "open" | "paid" = order.state;
      export const door: string | null = order.address.door;
      declare const page: S["OrderPage"];
      export const count: { value: number; isExact: boolean } | undefined = page.count;
    `),
  ).toEqual([]);
});

test("what is wrong is a mistake: the types are not just any", async () => {
  const found = await complaints(`
    export const item: S["ItemInput"] = { price: 1 };
    export const other: S["ItemInput"] = { name: "a", price: "1" };
    export const list: paths["/orders"]["get"]["parameters"]["query"] = { state: ["lost"] };
    export const sorted: paths["/orders"]["get"]["parameters"]["query"] = { sort: "state,createdAt" };
  `);
  expect(found).toHaveLength(4);
});
