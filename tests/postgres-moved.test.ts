// A store that has moved from SQLite to PostgreSQL, as its clients see it: nothing has changed, and all goes on.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, pastVersion } from "warren/resource";
import type { Listing, Page } from "../src/store/listing";
import { move } from "../src/store/moving/move";
import { openMove, openStore } from "../src/store/open";
import type { Store } from "../src/store/store";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { fillStore, resources } from "./support/moving";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { author, story } from "./support/stories";
import { withStore } from "./support/use-store";

describeWithPostgres("a store that has moved", () => {
  const postgres = usePostgres();
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    folder.remove();
    await postgres().drop();
  });
  const places = () => ({ database: postgres().address, dataDir: folder.path });
  const before = <T>(work: (store: Store) => Promise<T>) => withStore(sqliteIn(folder.path), resources, work);
  const after = <T>(work: (store: Store) => Promise<T>) => withStore(places(), resources, work);

  async function moved(declared: Parameters<typeof openMove>[2] = resources): Promise<void> {
    const ends = await openMove(sqliteIn(folder.path).database.file, places(), declared, { locked: true });
    if (!ends) throw new Error("That is no address of PostgreSQL.");
    await move(ends.source, ends.target, declared, { onProgress: () => {}, stop: new AbortController().signal });
    ends.source.close();
    await ends.target.close();
  }

  test("shows the same records, lists, events, histories and queues", async () => {
    await before(fillStore);
    const seen = await before(everythingIn);
    await moved();
    await after(async (store) => {
      const now = await everythingIn(store);
      for (const [name, value] of Object.entries(seen)) expect({ [name]: now[name] }).toEqual({ [name]: value });
      // Nothing is checked or converted again.
      const checked: string[] = [];
      expect(await store.checkRecords((resource) => checked.push(resource))).toEqual([]);
      expect(checked).toEqual([]);
    });
  });

  test("goes on with lists, ids, positions, keys and constraints where it was", async () => {
    await before(fillStore);
    const once = { key: "sent again", fingerprint: "same", part: 0 };
    const sent = (store: Store, fingerprint = "same") => store.insert(author, { name: "Once" }, { once: { ...once, fingerprint } });
    const lists: Listing[] = [
      { limit: 3 },
      { limit: 3, sort: ["-updatedAt"] },
      { limit: 3, sort: ["name"] },
      { limit: 3, sort: ["-id"], filters: { born: { min: 1905 } } },
      { limit: 3, search: "author" },
    ];
    const { first, rest, answer, end } = await before(async (store) => ({
      answer: await sent(store),
      end: await store.log.end(),
      first: await Promise.all(lists.map((list) => store.list(author, list))),
      rest: await Promise.all(lists.map((list) => wholeList(store, list))),
    }));
    await moved();
    await after(async (store) => {
      for (const [index, list] of lists.entries()) {
        const { rows, next } = first[index] as Page;
        expect([...rows, ...(await wholeList(store, { ...list, after: next ?? undefined }))]).toEqual([...(rest[index] ?? [])]);
      }
      expect(await sent(store)).toEqual(answer);
      expect((await rejection(sent(store, "other"))).name).toBe("KeyReused");
      expect((await rejection(store.insert(author, { name: "Once" }))).name).toBe("Conflict");
      expect((await store.insert(author, { name: "New" })).id).toBe(answer.id + 1);
      expect(await store.log.end()).toBe(end + 1);
      expect((await store.restore(author, 3))?.version).toBe(2);
      // The author of the story is deleted, so the reference becomes null.
      await store.remove(author, 5);
      expect(JSON.parse((await store.get(story, 5))?.json ?? "")).toMatchObject({ author: null, version: 2 });
      expect(await store.get(author, 4)).toBeUndefined();
      expect((await store.replays.unfinished()).map(({ queue }) => queue)).toEqual(["audit"]);
    });
  });

  test("converts records of an older version when it is opened", async () => {
    await before(fillStore);
    await moved();
    const named = Type.String({ minLength: 1, maxLength: 200 });
    const born = Type.Optional(Type.Integer());
    const past = [pastVersion({ fields: { name: named, born }, up: ({ name, ...rest }) => ({ fullName: name, ...rest }) })];
    const newer = defineResource({ name: "author", fields: { fullName: named, born }, past, example: { fullName: "Ada" } });
    const store = await openStore(places(), [newer, story]);
    expect(JSON.parse((await store.get(newer, 1))?.json ?? "")).toMatchObject({ id: 1, fullName: "Author 1", version: 1 });
    await store.close();
  });
});

/** Resolves with all that readers of a store see. */
async function everythingIn(store: Store): Promise<Record<string, unknown>> {
  const events = await store.log.read(0, 1000);
  const scan = { types: ["story.created"], subject: null, limit: 1000, maxLength: 1e6 };
  const visible = [{ types: ["story.created"], owner: "w \\ 7", scope: "h1" }];
  const relayedOf = async (id: string) => {
    const { relayed, relayedAt, requestId, requestedAt, traceparent } = (await store.find(id)) ?? {};
    return { id, relayed, relayedAt, requestId, requestedAt, traceparent };
  };
  return {
    events,
    log: [await store.log.end(), await store.log.pruned(), store.logId, await store.relayed.load(), await store.relayTrouble.get()],
    schedules: await store.schedules.list(),
    found: await Promise.all(events.map(({ id }) => relayedOf(id))),
    scans: [await store.log.scan(0, scan), await store.log.scan(0, { ...scan, visible })],
    lists: await Promise.all(
      [
        ...[{}, { sort: ["-createdAt"] }, { sort: ["-name"], count: true }, { search: "author 1" }],
        ...[{ filters: { born: { max: 1910 } } }, { filters: { born: { min: 1903 } }, sort: ["name"] }],
      ].map((list) => store.list(author, { limit: 100, ...list })),
    ),
    stories: await store.list(story, { limit: 100 }),
    key: await store.findByKey(author, "name", { name: "Author 6" }),
    histories: await Promise.all([2, 3, 4, 5].map((id) => store.history.page(author, id, { limit: 10 }))),
    version: await store.history.version(author, 9, 1),
    queues: [await store.subscriptions.list(), await store.subscriptions.find("B_removed"), await store.retryQueues.list(0)],
    others: [await store.refusals.list(0), await store.replays.list(10)],
  };
}

async function wholeList(store: Store, list: Listing): Promise<Page["rows"]> {
  const { rows, next } = await store.list(author, list);
  return next ? [...rows, ...(await wholeList(store, { ...list, after: next }))] : rows;
}
