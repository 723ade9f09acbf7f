// What keeps a store from being moved to PostgreSQL, and from being used before or after.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { PostgresAddress } from "../src/config/postgres-url";
import { findMisfits, MoveStopped, move } from "../src/store/moving/move";
import type { MoveSource } from "../src/store/moving/move-source";
import type { MoveTarget } from "../src/store/moving/move-target";
import { openLog, openMove } from "../src/store/open";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { openMoveTarget } from "../src/store/postgres/moving/target";
import { migrate, schemaVersionOf, storeMigrations } from "../src/store/postgres/schema/migrations";
import { openMoveSource } from "../src/store/sqlite/moving/move-source";
import { storeMigrations as sqliteMigrations } from "../src/store/sqlite/schema/migrations";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { resources } from "./support/moving";
import { describeWithPostgres, useOwnPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { author } from "./support/stories";
import { withStore } from "./support/use-store";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const fileIn = (name: string) => join(folder.path, name, "warren.db");
const fill = (name = "first") => withStore(sqliteIn(join(folder.path, name)), resources, (store) => store.insert(author, { name: "Ada" }));
/** Changes a database behind the store's back. */
function change(script: string, name = "first"): void {
  const db = new Database(fileIn(name));
  db.run(script);
  db.close();
}
const sourceIn = (name = "first") => openMoveSource(fileIn(name), resources, { locked: false });
const options = { onProgress: () => {}, stop: new AbortController().signal };

describe("a file", () => {
  test("that is not there, is no database of Warren, or is of another version, is refused", async () => {
    expect(() => sourceIn()).toThrow(`There is no database ${fileIn("first")}. Check the path`);
    await Bun.write(fileIn("text"), "no database");
    expect(() => sourceIn("text")).toThrow(`The database ${fileIn("text")} cannot be opened: file is not a database`);
    await Bun.write(fileIn("empty"), "");
    expect(() => sourceIn("empty")).toThrow("has no data of Warren");
    await fill();
    change(`PRAGMA user_version = ${sqliteMigrations.length - 1}`);
    expect(() => sourceIn()).toThrow("Start the API of this version with it once, which upgrades it");
    change(`PRAGMA user_version = ${sqliteMigrations.length + 1}`);
    expect(() => sourceIn()).toThrow("it was last used by a newer version of Warren");
    change(`PRAGMA user_version = ${sqliteMigrations.length}; UPDATE warren_record_versions SET version = 2`);
    expect(() => sourceIn()).toThrow('The records of "author" have schema version 2, but this program knows versions up to 1');
  });

  test("that an API serves is refused, except to look at it", async () => {
    await withStore(sqliteIn(join(folder.path, "first")), resources, async (store) => {
      await store.insert(author, { name: "Ada" });
      const locked = () => openMoveSource(fileIn("first"), resources, { locked: true });
      expect(locked).toThrow(`The database ${fileIn("first")} is in use, by an API, an import or another move. Stop it first`);
      const source = sourceIn();
      expect(source.tables.map(({ rows }) => rows)).toEqual([1, 0, 1, 0, 0, 0]);
      source.close();
    });
    expect(await openMove(fileIn("first"), sqliteIn(folder.path), resources, { locked: true })).toBeUndefined();
  });

  test("that has moved is not used by accident", async () => {
    await fill();
    const source = openMoveSource(fileIn("first"), resources, { locked: true });
    source.retire("postgres://db/warren");
    source.close();
    const message =
      `The data of ${fileIn("first")} was moved to postgres://db/warren: set DATABASE_URL to that. To use ${fileIn("first")} again, ` +
      `without what has changed since, delete ${fileIn("first")}.moved.`;
    expect((await rejection(fill())).message).toBe(message);
    expect((await rejection(openLog(sqliteIn(join(folder.path, "first"))))).message).toBe(message);
    await Bun.file(`${fileIn("first")}.moved`).delete();
    await rejection(fill());
    expect(await (await openLog(sqliteIn(join(folder.path, "first"))))?.end()).toBe(1);
  });

  test("with records of a resource that is not declared lists them", async () => {
    await fill();
    const source = openMoveSource(fileIn("first"), [], { locked: false });
    expect(source.undeclared).toEqual([{ table: "authors", records: 1 }]);
    expect(source.tables.map(({ table }) => table.kind)).toEqual(["events", "answers", "timers", "relayTimes"]);
    source.close();
  });
});

describeWithPostgres("a schema", () => {
  const postgres = usePostgres();
  afterEach(() => postgres().drop());

  async function ends<T>(use: (source: MoveSource, target: MoveTarget) => Promise<T>, name = "first"): Promise<T> {
    const [source, target] = [sourceIn(name), openMoveTarget(postgres().address)];
    try {
      return await use(source, target);
    } finally {
      source.close();
      await target.close();
    }
  }
  const standing = (name?: string) => ends((source, target) => target.standing(source), name);
  const moved = (name?: string) => ends((source, target) => move(source, target, resources, options), name);
  const interrupted = (name?: string) => ends((source, target) => target.begin(source, resources), name);
  async function onDatabase<T>(use: (database: ReturnType<typeof openDatabase>) => Promise<T>): Promise<T> {
    const database = openDatabase(postgres().address);
    return use(database).finally(() => database.close());
  }

  test("with other data is refused, with what to do", async () => {
    await fill();
    await fill("second");
    const other = `Use another schema, by schema=… in DATABASE_URL, or drop this one with all that is in it: DROP SCHEMA "${postgres().name}" CASCADE`;
    expect(await standing()).toBe("empty");
    await interrupted();
    expect(await standing()).toBe("unfinished");
    expect((await rejection(standing("second"))).message).toEndWith(
      `has a part of the data of another database, ${fileIn("first")}. ${other}`,
    );
    change("DELETE FROM authors");
    change("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'authors'");
    expect(await standing()).toBe("outdated");
    await moved();
    expect(await standing()).toBe("moved");
    expect((await rejection(moved())).message).toContain("has been moved to");
    expect((await rejection(moved("second"))).message).toEndWith(`or of this one since it was started with it. ${other}`);
    await postgres().drop();
    await onDatabase((database) => migrate(database, postgres().address, storeMigrations));
    expect((await rejection(moved("second"))).message).toEndWith(other);
  });

  test("is not served before all has moved", async () => {
    await fill();
    await interrupted();
    const message =
      `Only a part of the data of ${fileIn("first")} has been moved to this PostgreSQL schema: the move goes on, or was interrupted. ` +
      `Finish it, on the machine with that file: bun run migrate-to-postgres --from ${fileIn("first")}`;
    await onDatabase(async (database) => {
      expect((await rejection(migrate(database, postgres().address, storeMigrations))).message).toBe(message);
      expect((await rejection(schemaVersionOf(database))).message).toBe(message);
      // Also when the move was interrupted right after its first statement.
      await postgres().evaluate("DROP TABLE warren_schema_version");
      expect((await rejection(migrate(database, postgres().address, storeMigrations))).message).toBe(message);
    });
    await postgres().drop();
    await moved();
    await onDatabase((database) => migrate(database, postgres().address, storeMigrations));
  });

  test("gets no row that it cannot hold", async () => {
    await fill();
    change("UPDATE events SET id = 'not-a-uuid'");
    change("UPDATE authors SET version = 3000000000");
    change("INSERT INTO idempotency_keys (number, key, part, fingerprint, answer, at) VALUES (5, 'a' || char(0), 0, '', '', 0)");
    const found = await ends(async (source, target) => findMisfits(source, target, options));
    expect(found).toEqual([
      { table: "authors", key: 1, why: "its version is too great: 3000000000" },
      { table: "events", key: 1, why: 'its id is not a UUID in lower case: "not-a-uuid"' },
      { table: "idempotency keys", key: 5, why: "its key contains the character U+0000" },
    ]);
    expect((await rejection(moved())).message).toBe("authors: row 1 cannot be moved, because its version is too great: 3000000000.");
  });

  test("that a stopped move has left is completed by the next one", async () => {
    await fill();
    const stop = new AbortController();
    stop.abort();
    const stopped = ends((source, target) => move(source, target, resources, { ...options, stop: stop.signal }));
    expect(await rejection(stopped)).toBeInstanceOf(MoveStopped);
    await moved();
    expect(await standing()).toBe("moved");
  });

  test("has partitions only for the positions that are left of a long log", async () => {
    await fill();
    change("UPDATE sqlite_sequence SET seq = 31400000 WHERE name = 'events'");
    await withStore(sqliteIn(join(folder.path, "first")), resources, async (store) => {
      await store.insert(author, { name: "Grace" });
      await store.prune("9999", 31_400_000);
    });
    await moved();
    expect(await postgres().evaluate("SELECT first::int, next::int FROM warren_partitions ORDER BY first")).toEqual(
      [31, 32, 33].map((million) => ({ first: million * 1_000_000 + 1, next: (million + 1) * 1_000_000 + 1 })),
    );
    expect(await postgres().evaluate("SELECT position::int, pruned_to::int FROM events, meta")).toEqual([
      { position: 31_400_001, pruned_to: 31_400_000 },
    ]);
  });
});

describeWithPostgres("a role without the right to create", () => {
  const postgres = useOwnPostgres();

  test("is refused with the right that it lacks, and moves with it", async () => {
    await fill();
    await postgres().evaluate("CREATE ROLE mover LOGIN");
    const schema = postgres().schema("shop");
    const address: PostgresAddress = { ...schema.address, user: "mover" };
    const moved = async () => {
      const [source, target] = [sourceIn(), openMoveTarget(address)];
      try {
        await target.standing(source);
        await move(source, target, resources, options);
      } finally {
        source.close();
        await target.close();
      }
    };
    const refused = async () => /GRANT .*/.exec((await rejection(moved())).message)?.[0] ?? "";
    expect(await refused()).toBe('GRANT CREATE ON DATABASE "postgres" TO "mover"');
    await postgres().evaluate('CREATE SCHEMA "shop"');
    const grant = await refused();
    expect(grant).toBe('GRANT USAGE, CREATE ON SCHEMA "shop" TO "mover"');
    await postgres().evaluate(grant);
    await moved();
    expect(await schema.evaluate("SELECT tableowner FROM pg_tables WHERE schemaname = 'shop' AND tablename = 'events'")).toEqual([
      { tableowner: "mover" },
    ]);
  });
});
