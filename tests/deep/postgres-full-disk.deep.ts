// A PostgreSQL server whose disk is full: for tables, and for its write-ahead log, at which it restarts until there is room.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { StoreUnavailable } from "../../src/store/errors";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import type { Database } from "../../src/store/postgres/connection/queries";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { canLimitDisk } from "../support/postgres-cluster";
import { eventually } from "../support/processes";

setDefaultTimeout(120_000);

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

// A disk of its own needs a right that a container may lack.
if (canLimitDisk()) {
  describeWithPostgres("a full disk", () => {
    const postgres = useOwnPostgres({ diskMiB: 128, settings: { max_wal_size: "32MB", min_wal_size: "32MB", wal_recycle: "off" } });

    test("refuses what is written, and everything works again when there is room", async () => {
      const database = openDatabase(postgres().schema().address, { statementMs: 5000, connectMs: 1000 });
      opened.push(database);
      await postgres().evaluate("CREATE TABLE public.kept (id int PRIMARY KEY, filler text)");
      const insert = (id: number) => database.writer.query("INSERT INTO public.kept VALUES ($1, repeat(md5($1::text), 20000))", id);
      await insert(0);
      postgres().fill();
      const written = new Set([0]);
      const errors: unknown[] = [];
      for (let id = 1; errors.length < 20; id += 1) {
        await insert(id).then(
          () => written.add(id),
          (error: unknown) => errors.push(error),
        );
      }
      for (const error of errors) expect(error).toBeInstanceOf(StoreUnavailable);
      expect(String(errors[0])).toContain("has a full disk (53100: ");
      postgres().makeRoom();
      if (!postgres().isUp()) await postgres().start();
      await eventually(
        () =>
          insert(-1).then(
            () => true,
            () => undefined,
          ),
        "the database to accept writes",
      );
      const rows = await database.query<{ id: number }>("SELECT id FROM public.kept WHERE id >= 0");
      const kept = new Set(rows.map(({ id }) => id));
      expect([...written].filter((id) => !kept.has(id))).toEqual([]);
    });
  });
}
