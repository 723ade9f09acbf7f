// Streams of two stores on one schema of PostgreSQL: each has what both of them write.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { EventStreams } from "../src/feed/event-streams";
import { openStore } from "../src/store/open";
import type { Store } from "../src/store/store";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { eventually } from "./support/processes";

const timing = { heartbeatMs: 60_000, patienceMs: 60_000, retryMs: 1000 };
const filter = { types: null, subject: null };

describeWithPostgres("two stores on one schema", () => {
  const schema = usePostgres();
  let stores: [Store, Store];
  let streams: EventStreams[];
  beforeEach(async () => {
    const open = () => openStore({ database: schema().address }, [item]);
    stores = [await open(), await open()];
    streams = stores.map((store) => {
      const opened = new EventStreams(store.log, timing);
      store.onAppend(() => opened.wake());
      return opened;
    });
  });
  afterEach(async () => {
    for (const each of streams) each.close();
    await Promise.all(stores.map((store) => store.close()));
    await schema().drop();
  });

  /** Opens a stream of a store. Returns the positions that it gets. */
  function follow(of: number, position: number): { positions: number[]; leave: () => void } {
    const positions: number[] = [];
    const sink = {
      write(bytes: Uint8Array) {
        for (const [, id] of new TextDecoder().decode(bytes).matchAll(/^id: (\d+)\nevent: /gm)) positions.push(Number(id));
        return undefined;
      },
      end() {},
      cut() {},
    };
    return { positions, leave: (streams[of] as EventStreams).open(sink, { position, filter }) };
  }

  test("a stream of either has all events in the order of commits, without gaps or repeats, and goes on at the other one", async () => {
    const [first, second] = [follow(0, 0), follow(1, 0)];
    const writing = Promise.all(stores.flatMap((store) => Array.from({ length: 100 }, () => store.insert(item, item.example))));
    await eventually(() => first.positions.length > 50 || undefined, "a part");
    first.leave();
    const moved = follow(1, first.positions.at(-1) ?? 0);
    await writing;
    const all = () => [...first.positions, ...moved.positions];
    await eventually(() => (second.positions.length >= 200 && all().length >= 200) || undefined, "all of it");
    const log = (await stores[0].log.read(0, 1000)).map(({ position }) => position);
    expect(second.positions).toEqual(log);
    expect(all()).toEqual(log);
  });

  test("a store that commits nothing tells its listeners of what the other one commits", async () => {
    const heard = Promise.withResolvers<number>();
    stores[1].onAppend(async () => {
      const end = await stores[1].log.end();
      if (end > 0) heard.resolve(end);
    });
    await stores[0].insert(item, item.example);
    expect(await heard.promise).toBe(await stores[0].log.end());
  });
});
