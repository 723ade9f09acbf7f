// Handlers that change resources: once for each event, whatever comes between.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  type Changes,
  type ConsumerOptions,
  type ExactlyOnceContext,
  type HandlerContext,
  Reject,
  type Transaction,
} from "warren/consumer";
import changes from "../src/built-in/changes";
import { HttpDoor } from "../src/changing/http-door";
import { ChangesLink } from "../src/changing/link";
import { ChangesServer } from "../src/changing/serve";
import { SocketDoor } from "../src/changing/socket-door";
import { type Consumer, resolveConsumer } from "../src/delivery/consumer-options";
import type { Task } from "../src/delivery/delivery";
import { handleExactlyOnce } from "../src/delivery/exactly-once";
import { handleBatch } from "../src/delivery/handle";
import { describeError } from "../src/delivery/outcome";
import { parseEvent } from "../src/schema/event";
import { Conflict, InvalidRecord } from "../src/schema/refused-change";
import { mostDepth } from "../src/store/cause";
import { ForgottenAwait, RecordNotFound, StoreUnavailable } from "../src/store/errors";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import type { Store } from "../src/store/store";
import type { TransactionEngine } from "../src/store/transaction/engine";
import { openApi, type TestApi } from "./support/api";
import { forEachEngine, sqliteIn } from "./support/engines";
import { recordedLog } from "./support/recorded-log";
import { type BookCreated, book, deliveryOfBook, library, libraryCatalogue, recordIn, shelf } from "./support/shelves";
import { useStore } from "./support/use-store";

type Handler = (id: number, change: Changes, context: HandlerContext) => Promise<unknown>;

/** Gives a book a place on a shelf, as the handlers of these tests do. */
const place: Handler = async (id, change) => {
  const { free } = await change.read(shelf, 1);
  await change.update(shelf, 1, { free: free - 1 });
  await change.update(book, id, { shelf: 1, state: "placed" });
  await change.later(book, id, "expired", { after: "30m", key: `expire:${id}` });
};

/** @param engineOf the way in which handlers reach the store. */
function handlersThatChange(store: Store, engineOf: () => TransactionEngine): void {
  const add = async (title = "Emma") => (await store.insert(book, { title, state: "new" })).id;
  const bodies = async (after = 0) => (await store.log.read(after, 1000)).map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const types = async (after: number) => (await bodies(after)).map(({ type }) => type);
  const recordOf = (resource: typeof shelf | typeof book, id: number) => recordIn(store, resource, id);
  const never = () => false;

  function consumerOf(handler: Handler, options: object = {}): Consumer {
    const handle = ({ book: { id } }: BookCreated, context: HandlerContext) => handler(id, context.change, context);
    return resolveConsumer(
      { queue: "places", handle, ...options } as unknown as ConsumerOptions,
      libraryCatalogue,
      recordedLog().log,
      () => {},
      undefined,
      engineOf(),
    );
  }

  const taskOf = (id: number, more: Partial<Task["delivery"]> = {}, depth?: number) => deliveryOfBook(store, id, more, depth);

  const handle = async (consumer: Consumer, task: Task) => (await handleBatch(consumer, [task], never))[0];
  const errorOf = async (handler: Handler, id: number) => {
    const result = await handle(consumerOf(handler), await taskOf(id));
    return result?.kind === "failed" ? result.error : result;
  };

  beforeEach(async () => {
    await store.insert(shelf, { room: "A", free: 3 });
  });

  test("all changes of a handler are one commit, which names its event and its trace", async () => {
    const id = await add();
    const end = await store.log.end();
    expect(await handle(consumerOf(place), await taskOf(id))).toEqual({ kind: "handled" });
    expect([await recordOf(shelf, 1), await recordOf(book, id)]).toMatchObject([{ free: 2 }, { shelf: 1, state: "placed", version: 2 }]);
    const [created] = await bodies(end - 1);
    const made = await bodies(end);
    expect(made.map(({ type, cause, depth, actor }) => [type, cause, depth, actor])).toEqual([
      ["shelf.updated", created?.["id"], 1, "consumer:places"],
      ["book.updated", created?.["id"], 1, "consumer:places"],
    ]);
    expect((await store.log.read(end, 9)).map(({ traceparent }) => traceparent?.slice(0, 35))).toEqual(
      Array(2).fill(`00-${"a".repeat(32)}`),
    );
    expect(await store.timers.list({ limit: 9 })).toMatchObject([{ key: `expire:${id}`, subject: id, cause: created?.["id"], depth: 0 }]);
  });

  test("an event that comes again changes nothing, also in another process and at the same time; a forced replay does", async () => {
    const task = await taskOf(await add());
    const [one, other] = [consumerOf(place), consumerOf(place)];
    const results = await Promise.all([handle(one, task), handle(other, task), handle(other, task)]);
    expect(results.map((result) => result?.kind).sort()).toEqual(["duplicate", "duplicate", "handled"]);
    expect(await handle(one, { ...task, delivery: { ...task.delivery, failures: 3, replay: "replay" as never } })).toEqual({
      kind: "duplicate",
    });
    expect(await recordOf(shelf, 1)).toMatchObject({ free: 2 });
    // Another queue has a note of its own.
    expect(await handle(consumerOf(place, { queue: "others" }), task)).toEqual({ kind: "handled" });
    expect(await handle(one, { ...task, delivery: { ...task.delivery, replay: "forced" } })).toEqual({ kind: "handled" });
    expect(await recordOf(shelf, 1)).toMatchObject({ free: 0 });
  });

  test("an event that comes again is done, although its handler fails because of what it has changed", async () => {
    await store.update(shelf, 1, (current) => ({ ...current, free: 1 }));
    const task = await taskOf(await add());
    expect(await handle(consumerOf(place), task)).toEqual({ kind: "handled" });
    expect(await handle(consumerOf(place), task)).toEqual({ kind: "duplicate" });
    const withOwnCheck: Handler = async (id, change, context) => {
      if ((await change.read(shelf, 1)).free === 0) throw new Error("The shelf is full.");
      await place(id, change, context);
    };
    expect(await handle(consumerOf(withOwnCheck), task)).toEqual({ kind: "duplicate" });
    expect(await errorOf(withOwnCheck, await add())).toMatchObject({ message: "The shelf is full." });
  });

  test("many on one hot record: none is lost, none gives up", async () => {
    await store.update(shelf, 1, (now) => ({ ...now, free: 100 }));
    const tasks = await Promise.all(Array.from({ length: 40 }, async (_, n) => taskOf(await add(`Book ${n}`))));
    const consumer = consumerOf(place, { concurrency: 16 });
    expect((await Promise.all(tasks.map((task) => handle(consumer, task)))).map((result) => result?.kind)).toEqual(
      Array(40).fill("handled"),
    );
    expect(await recordOf(shelf, 1)).toMatchObject({ free: 60, version: 42 });
  });

  test("what it read and somebody has changed since: it runs again", async () => {
    const id = await add();
    let runs = 0;
    const handler: Handler = async (_, change) => {
      runs += 1;
      const { free } = await change.read(shelf, 1);
      if (runs === 1) await store.update(shelf, 1, (now) => ({ ...now, free: 9 }));
      await change.update(shelf, 1, { free: free - 1 });
    };
    expect(await handle(consumerOf(handler), await taskOf(id))).toEqual({ kind: "handled" });
    expect([runs, await recordOf(shelf, 1)]).toMatchObject([2, { free: 8 }]);
    // Not believed before it is seen that what it read still holds.
    const doubting: Handler = async (book, change) => {
      const { free } = await change.read(shelf, 1);
      if (free === 8) {
        await store.update(shelf, 1, (now) => ({ ...now, free: 1 }));
        throw new Error(`eight for ${book}`);
      }
    };
    expect(await handle(consumerOf(doubting), await taskOf(await add()))).toEqual({ kind: "handled" });
  });

  test("it gives up when others are always faster, as a failure that is tried again", async () => {
    const id = await add();
    const handler: Handler = async (_, change) => {
      const { free } = await change.read(shelf, 1);
      await store.update(shelf, 1, (now) => ({ ...now, free: free + 1 }));
      await change.update(shelf, 1, { free: 0 });
    };
    expect(await errorOf(handler, id)).toMatchObject({ name: "TransactionGaveUp" });
    expect(await recordOf(shelf, 1)).toMatchObject({ free: 11 });
  });

  test("a broken schema, rule or reference is a dead letter at once, with the place; a conflict is not", async () => {
    const id = await add();
    const end = await store.log.end();
    const rejected = async (handler: Handler) => {
      const error = await errorOf(handler, id);
      expect(error).toBeInstanceOf(Reject);
      return (error as Reject).message;
    };
    expect(await rejected((_, change) => change.update(shelf, 1, { free: -1 }))).toContain("/free");
    expect(await rejected((_, change) => change.insert(book, { title: "", state: "new" }))).toContain("/title: A book has a title.");
    expect(await rejected((_, change) => change.update(book, id, { shelf: 77 }))).toContain("/shelf");
    await store.insert(shelf, { room: "B", free: 1 });
    expect(await errorOf((_, change) => change.insert(shelf, { room: "B", free: 1 }), id)).toBeInstanceOf(Conflict);
    expect(await errorOf((_, change) => change.update(book, 99, { title: "x" }), id)).toBeInstanceOf(RecordNotFound);
    expect(await types(end)).toEqual(["shelf.created"]);
  });

  test("a handler may catch what is refused at its call, and undo what it has changed", async () => {
    const id = await add();
    const handler: Handler = async (_, change) => {
      try {
        await change.update(shelf, 1, { free: 2 });
        await change.cancel("unknown");
        await change.update(shelf, 1, { free: -1 });
      } catch {
        expect(await change.read(shelf, 1)).toMatchObject({ free: 2 });
        await change.undo().update(book, id, { state: "refused" });
        expect(await change.read(shelf, 1)).toMatchObject({ free: 3 });
      }
    };
    const end = await store.log.end();
    expect(await handle(consumerOf(handler), await taskOf(id))).toEqual({ kind: "handled" });
    expect(await types(end)).toEqual(["book.updated"]);
  });

  test("it may also catch what a unique value or a reference refuses", async () => {
    const id = await add();
    await store.insert(shelf, { room: "B", free: 1 });
    const end = await store.log.end();
    let runs = 0;
    const handler: Handler = async (_, change) => {
      runs += 1;
      await change.update(shelf, 1, { free: 1 });
      const made = await change.insert(shelf, { room: "B", free: 5 }).catch((error: unknown) => error);
      const placed = await change.update(book, id, { shelf: 77 }).catch((error: unknown) => error);
      // What was refused is not there, and what was made before is.
      if (made instanceof Conflict) await change.update(shelf, 1, ({ free }) => ({ free: free + 1 }));
      if (placed instanceof InvalidRecord) await change.update(book, id, { state: "refused" });
    };
    expect(await handle(consumerOf(handler), await taskOf(id))).toEqual({ kind: "handled" });
    expect(runs).toBe(2);
    expect([await recordOf(shelf, 1), await recordOf(book, id)]).toMatchObject([{ free: 2 }, { state: "refused" }]);
    expect(await types(end)).toEqual(["shelf.updated", "shelf.updated", "book.updated"]);
  });

  test("an error of the handler commits nothing, and neither does one that forgets an await or changes nothing", async () => {
    const id = await add();
    const end = await store.log.end();
    const failing: Handler = async (_, change) => {
      await change.update(shelf, 1, { free: 1 });
      throw new Error("no");
    };
    expect(await errorOf(failing, id)).toMatchObject({ message: "no" });
    const forgetful: Handler = async (_, change) => void change.update(shelf, 1, { free: 1 });
    const forgotten = (await errorOf(forgetful, id)) as Error;
    expect(forgotten).toBeInstanceOf(ForgottenAwait);
    expect(forgotten.message).toStartWith("The handler returned before change.update(shelf, 1) was done.");
    expect(
      await handle(
        consumerOf((_, change) => change.read(shelf, 1)),
        await taskOf(id),
      ),
    ).toEqual({ kind: "handled" });
    expect(await store.log.end()).toBe(end);
  });

  test("a circle of causes is a dead letter, which shows the whole chain", async () => {
    const id = await add();
    const task = await taskOf(id);
    const links = [`${task.event.id} book.created ${id}`];
    let [last, end] = ["", await store.log.end()];
    for (let cause = { id: task.event.id, depth: 0 }; cause.depth < mostDepth; end += 1) {
      if (cause.depth % 2 === 0) await store.update(shelf, 1, ({ room, free }) => ({ room, free: free + 1 }), { cause });
      else await store.update(book, id, (now) => now, { cause, emit: { expired: {} } });
      const [event] = await store.log.read(end, 1);
      cause = { id: event?.id ?? "", depth: cause.depth + 1 };
      links.unshift(`${cause.id} ${event?.type} ${event?.subject}`);
      last = event?.body ?? "";
    }
    const read = parseEvent(last, libraryCatalogue);
    if (!read.ok) throw new Error(read.detail);
    expect(links[0]).toEndWith(` book.expired ${id}`);
    const result = await handle(consumerOf(place), { ...task, event: read.event });
    expect(result).toMatchObject({ kind: "failed", error: { name: "Reject" } });
    const { message } = describeError((result as { error: unknown }).error);
    expect(message).toStartWith("Handlers have caused 32 events in a row, so this looks like a circle");
    expect(message.split("\n").slice(1)).toEqual(links);
    expect(await store.log.end()).toBe(end);
  });

  test("reads by key and lists are part of it, and a batch of several events has none", async () => {
    const id = await add();
    const handler: Handler = async (_, change) => {
      const found = await change.findByKey(shelf, "room", { room: "A" });
      const none = await change.findByKey(shelf, "room", { room: "Z" });
      const made = await change.insert(shelf, { room: "Z", free: (found?.free ?? 0) + (none ? 100 : 0) });
      await change.remove(book, id);
      await change.update(shelf, made.id, { room: "Y" });
    };
    const end = await store.log.end();
    expect(await handle(consumerOf(handler), await taskOf(id))).toEqual({ kind: "handled" });
    expect(await types(end)).toEqual(["shelf.created", "book.deleted", "shelf.updated"]);
    const batch = consumerOf(place, {
      handle: undefined,
      handleBatch: (_: unknown, context: HandlerContext) => void context.change,
    } as never);
    const other = await taskOf(await add());
    const again = await taskOf(other.event.id ? await add() : 0);
    const results = await handleBatch(batch, [other, again], never);
    expect(results).toEqual([{ kind: "handled" }, { kind: "handled" }]);
  });

  describe("with exactlyOnce", () => {
    /** Returns the results of events in one transaction of a file, and what the file has then. */
    function ledger(handler: (id: number, context: ExactlyOnceContext) => unknown) {
      const file = openConsumerFile(":memory:", { durable: false });
      const options = {
        queue: "ledger",
        exactlyOnce: true,
        setup: (tx: Transaction) => tx.run("CREATE TABLE IF NOT EXISTS ledger (book INTEGER, free INTEGER)"),
        handle: ({ book: { id } }: BookCreated, context: ExactlyOnceContext) => handler(id, context),
      };
      const consumer = resolveConsumer(
        options as unknown as ConsumerOptions,
        libraryCatalogue,
        recordedLog().log,
        () => {},
        undefined,
        engineOf(),
      );
      const around = { consumer, store: async () => file, mayGoOn: () => true, isStopping: never };
      const ready = file.together(async ({ transaction }) => void (await consumer.setup(transaction)));
      return {
        async handle(tasks: readonly Task[], beforeCommit: () => Promise<() => void> = async () => () => {}) {
          await ready;
          return handleExactlyOnce({ ...around, beforeCommit }, tasks);
        },
        rows: () => file.transaction.all("SELECT book, free FROM ledger ORDER BY book"),
      };
    }

    test("both commit; if the file loses its part, the next delivery does the same again", async () => {
      const [first, second] = [await add("One"), await add("Two")];
      const own = ledger(async (id, { change, tx }) => {
        const { free } = await change.read(shelf, 1);
        const missing = await change.read(shelf, 99).catch((error: unknown) => error);
        expect(missing).toBeInstanceOf(RecordNotFound);
        await tx.run("INSERT INTO ledger VALUES (?, ?)", id, free);
        await change.update(shelf, 1, { free: free - 1 });
        await change.later(book, id, "expired", { after: "1h" });
      });
      const tasks = [await taskOf(first), await taskOf(second)];
      const lost = own.handle(tasks, () => Promise.reject(new Error("the power is gone")));
      expect((await lost).map(({ kind }) => kind)).toEqual(["failed", "failed"]);
      expect([await own.rows(), await recordOf(shelf, 1)]).toMatchObject([[], { free: 1 }]);
      // Somebody else has changed it meanwhile.
      await store.update(shelf, 1, (now) => ({ ...now, free: 50 }));
      expect(await own.handle(tasks)).toEqual([{ kind: "handled" }, { kind: "handled" }]);
      expect(await own.rows()).toEqual([
        { book: first, free: 3 },
        { book: second, free: 2 },
      ]);
      expect(await recordOf(shelf, 1)).toMatchObject({ free: 50 });
      expect(await own.handle(tasks)).toEqual([{ kind: "duplicate" }, { kind: "duplicate" }]);
      expect(await store.timers.list({ limit: 9 })).toHaveLength(2);
    });

    test("the next delivery does the same again, although its own changes would make it fail", async () => {
      await store.update(shelf, 1, (current) => ({ ...current, free: 1 }));
      const id = await add();
      const own = ledger(async (book, { change, tx }) => {
        const { free } = await change.read(shelf, 1);
        if (free === 0) throw new Error("The shelf is full.");
        await tx.run("INSERT INTO ledger VALUES (?, ?)", book, free);
        await change.update(shelf, 1, { free: free - 1 });
      });
      const task = await taskOf(id);
      expect(await own.handle([task], () => Promise.reject(new Error("the power is gone")))).toMatchObject([{ kind: "failed" }]);
      expect(await own.handle([task])).toEqual([{ kind: "handled" }]);
      expect([await own.rows(), await recordOf(shelf, 1)]).toMatchObject([[{ book: id, free: 1 }], { free: 0 }]);
      expect(await own.handle([await taskOf(await add())])).toMatchObject([{ kind: "failed", error: { message: "The shelf is full." } }]);
    });

    test("a handler that does something else the next time fails, and says so", async () => {
      const id = await add();
      let runs = 0;
      const own = ledger(async (_, { change }) => {
        runs += 1;
        if (runs > 1) await change.read(book, id);
        await change.update(shelf, 1, { free: 0 });
      });
      const task = await taskOf(id);
      await own.handle([task], () => Promise.reject(new Error("lost")));
      const [result] = await own.handle([task]);
      expect(result).toMatchObject({ kind: "failed", error: { message: expect.stringContaining("A handler must do the same each time") } });
    });

    test("nothing is changed if one of its calls was not awaited, of either", async () => {
      const id = await add();
      const own = ledger(async (book, { change, tx }) => {
        await change.update(shelf, 1, { free: 0 });
        void tx.run("INSERT INTO ledger VALUES (?, 0)", book);
      });
      expect(await own.handle([await taskOf(id)])).toMatchObject([{ kind: "failed", error: { name: "ForgottenAwait" } }]);
      expect([await own.rows(), await recordOf(shelf, 1)]).toMatchObject([[], { free: 3 }]);
    });

    test("what others have changed undoes its effects before it runs again", async () => {
      const id = await add();
      let runs = 0;
      const own = ledger(async (book, { change, tx }) => {
        runs += 1;
        const { free } = await change.read(shelf, 1);
        await tx.run("INSERT INTO ledger VALUES (?, ?)", book, free);
        if (runs === 1) await store.update(shelf, 1, (now) => ({ ...now, free: 7 }));
        await change.update(shelf, 1, { free: free - 1 });
      });
      expect(await own.handle([await taskOf(id)])).toEqual([{ kind: "handled" }]);
      expect([await own.rows(), await recordOf(shelf, 1)]).toMatchObject([[{ book: id, free: 7 }], { free: 6 }]);
    });
  });
}

forEachEngine((placesIn) => {
  const { store } = useStore(placesIn, library);
  handlersThatChange(store, () => store.changing);
});

describe("through an API on another machine", () => {
  const token = "admin-token-of-a-consumer";
  let api: TestApi;
  afterEach(async () => {
    await api.app.stop(true);
    await api.close();
  });
  const { store } = useStore(sqliteIn, library);
  beforeEach(() => {
    api = openApi({
      ...{ wrap: () => store, resources: library, routes: [{ file: "changes.ts", path: "/changes", route: changes }] },
      // Consumers are not limited by it.
      config: { apiTokens: [{ token, scope: "admin" }], rateLimit: 1 },
    });
    api.app.listen({ port: 0, hostname: "127.0.0.1" });
  });
  handlersThatChange(store, () => new ChangesLink(new HttpDoor({ url: `http://127.0.0.1:${api.app.server?.port}`, token })));
});

describe("through the API that owns the file", () => {
  let server: ChangesServer;
  // Before the store is closed.
  afterEach(() => server.stop());
  const { store, places } = useStore(sqliteIn, library);
  const fileOf = () => places().database.file;
  beforeEach(() => {
    server = new ChangesServer(store, library, fileOf());
  });
  handlersThatChange(store, () => new ChangesLink(new SocketDoor(fileOf())));

  test("an event waits while the API is away, and costs no attempt; a stop ends the wait", async () => {
    const link = new ChangesLink(new SocketDoor(fileOf()));
    const { log, at } = recordedLog();
    const handle = ({ book: { id } }: BookCreated, { change }: HandlerContext) => place(id, change, undefined as never);
    const consumer = resolveConsumer(
      { queue: "places", handle } as unknown as ConsumerOptions,
      libraryCatalogue,
      log,
      () => {},
      undefined,
      link,
    );
    await store.insert(shelf, { room: "B", free: 3 });
    const { id } = await store.insert(book, { title: "Emma", state: "new" });
    const parsed = parseEvent((await store.log.read(0, 10)).at(-1)?.body ?? "", libraryCatalogue);
    if (!parsed.ok) throw new Error(parsed.detail);
    const delivery = {
      body: "",
      failures: 0,
      suspect: false,
      replay: "no",
      origin: {},
      gone: false,
      settle() {},
    } as unknown as Task["delivery"];
    const task: Task = { event: parsed.event, key: "", delivery };
    await server.stop();
    expect(await link.newest(shelf as never, 1).catch((error: unknown) => error)).toBeInstanceOf(StoreUnavailable);
    let isStopping = false;
    const waiting = handleBatch(consumer, [task], () => isStopping);
    while (at("warn").length === 0) await Bun.sleep(5);
    isStopping = true;
    expect(await waiting).toEqual([]);
    const handled = handleBatch(consumer, [task], () => false);
    while (at("warn").length < 2) await Bun.sleep(5);
    // Its health says so.
    expect(consumer.changes.trouble.why).toContain("cannot be reached: start it");
    server = new ChangesServer(store, library, fileOf());
    expect(await handled).toEqual([{ kind: "handled" }]);
    expect(consumer.changes.trouble.why).toBeUndefined();
    expect(JSON.parse((await store.get(book as never, id))?.json ?? "")).toMatchObject({ state: "placed" });
  });

  test("goes on with an API that was started again, which has another secret", async () => {
    const link = new ChangesLink(new SocketDoor(fileOf()));
    expect(await link.reserveId(shelf as never)).toBeGreaterThan(0);
    await server.stop();
    server = new ChangesServer(store, library, fileOf());
    expect(await link.newest(shelf as never, 99)).toBeUndefined();
  });

  test("cancels a timer, for an operator", async () => {
    const link = new ChangesLink(new SocketDoor(fileOf()));
    await store.insert(book, { title: "Emma", state: "new" }, { later: [{ event: "expired", after: "1d" }] });
    const [timer] = await store.timers.list({ limit: 1 });
    expect([await link.cancelTimer(timer?.number ?? 0), await link.cancelTimer(timer?.number ?? 0)]).toEqual([true, false]);
    expect(await store.timers.list({ limit: 1 })).toEqual([]);
  });

  test("nobody else gets in: the secret is in a file of the owner's, and what is asked is checked", async () => {
    const access = (await Bun.file(`${fileOf()}.changes`).json()) as { socket: string; secret: string };
    const ask = (secret: string, body: string) =>
      fetch("http://localhost/", { unix: access.socket, method: "POST", headers: { authorization: secret }, body });
    expect((await ask("wrong", "[]")).status).toBe(401);
    expect((await ask("", "[]")).status).toBe(401);
    for (const body of ["", "{}", '[{"ask":"drop"}]', '[{"ask":"record","resource":"shelf"}]'])
      expect((await ask(access.secret, body)).status).toBe(400);
    expect(
      await (await ask(access.secret, '[{"ask":"record","resource":"lamp","id":1},{"ask":"id","resource":"shelf"}]')).json(),
    ).toMatchObject([{ error: { name: "TypeError", message: expect.stringContaining('no resource "lamp"') } }, { value: 2 }]);
    const { stat } = await import("node:fs/promises");
    for (const file of [`${fileOf()}.changes`, access.socket]) expect((await stat(file)).mode & 0o077).toBe(0);
  });
});
