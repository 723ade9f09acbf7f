// Changes of a transaction with `asAdmin`: code of the service changes what its actor may not change.
import { beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { Forbidden, RecordNotFound } from "../src/store/errors";
import { forEachEngineInFull } from "./support/engines";
import { loggedEvents } from "./support/logged-events";
import { useStore } from "./support/use-store";

const book = defineResource({
  name: "book",
  fields: { copies: Type.Integer({ minimum: 0 }) },
  read: "anyone",
  write: "admin",
  example: { copies: 1 },
});
const note = defineResource({ name: "note", fields: { text: Type.String() }, owner: "writer", example: { text: "a" } });
const room = defineResource({
  name: "room",
  fields: { seats: Type.Integer() },
  scope: { field: "tenant", claim: "org_id" },
  write: "admin",
  example: { seats: 1 },
});

const ada = { subject: "ada", scopes: ["read", "write"] };
const inTenant = (tenant: string) => ({ ...ada, claims: { org_id: tenant } });

forEachEngineInFull((placesIn) => {
  const { store } = useStore(placesIn, [book, note, room]);
  beforeEach(async () => {
    await store.insert(book, { copies: 2 });
    await store.insert(note, { text: "of Eve", writer: "eve" });
    await store.insert(room, { seats: 9, tenant: "A" });
  });

  const events = () => loggedEvents(store, 3);

  test("change what `write` and `owner` keep from the actor, and the events name the actor", async () => {
    await store.transaction(
      async (tx) => {
        await tx.update(book, 1, ({ copies }) => ({ copies: copies - 1 }), { asAdmin: true });
        await tx.update(note, 1, { text: "read" }, { asAdmin: true });
        await tx.insert(book, { copies: 5 }, { asAdmin: true });
        await tx.remove(book, 2, { asAdmin: true });
      },
      { actor: ada },
    );
    expect(await events()).toMatchObject([
      { type: "book.updated", book: { copies: 1 }, actor: "ada" },
      { type: "note.updated", note: { text: "read", writer: "eve" }, actor: "ada" },
      { type: "book.created", actor: "ada" },
      { type: "book.deleted", actor: "ada" },
    ]);
  });

  test("are the only ones: the others of the transaction stay limited", async () => {
    const changing = store.transaction(
      async (tx) => {
        await tx.update(book, 1, { copies: 1 }, { asAdmin: true });
        await tx.update(book, 1, { copies: 0 });
      },
      { actor: ada },
    );
    await expect(changing).rejects.toThrow(Forbidden);
    const reading = store.transaction(async (tx) => void (await tx.update(note, 1, { text: "read" })), { actor: ada });
    await expect(reading).rejects.toThrow(RecordNotFound);
    expect(await events()).toEqual([]);
  });

  test("stay in the tenant", async () => {
    const change = (actor: typeof ada) =>
      store.transaction((tx) => tx.update(room, 1, { seats: 8 }, { asAdmin: true }).then(({ seats }) => seats), { actor });
    await expect(change(inTenant("B"))).rejects.toThrow(RecordNotFound);
    await expect(change(ada)).rejects.toThrow("lacks the claim");
    expect(await change(inTenant("A"))).toBe(8);
  });

  test("of the service itself are as without it", async () => {
    await store.transaction(async (tx) => void (await tx.update(book, 1, { copies: 0 }, { asAdmin: true })));
    expect(await events()).toMatchObject([{ type: "book.updated", book: { copies: 0 } }]);
  });
});
