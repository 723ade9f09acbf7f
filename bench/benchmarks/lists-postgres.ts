import { defineResource, type Resource } from "warren/resource";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import { openPostgresStore } from "../../src/store/postgres/store";
import type { Benchmark, Column, Context, Sample } from "../benchmark";
import { entry, entryOf, few, kinds, limit, many, measurePages, ownCpu, plain } from "../list-kinds";

const aim = { atMost: 1.5 };

/** As `lists`, on PostgreSQL: the CPU time of this process and of the server. */
export const listsPostgres: Benchmark = {
  name: "lists-postgres",
  title: `a page of ${limit} at any depth of ${many.toLocaleString("en-US")} records vs. of ${few.toLocaleString("en-US")}, on PostgreSQL, in CPU µs`,
  needs: ["postgres"],
  rounds: 1,
  columns: kinds.map(({ column }) => ({ ...column, digits: 0, aim })) as [Column, ...Column[]],
  warren: { name: "any depth", run: (context) => measured(context, context.size ?? many) },
  baseline: { name: "of few", run: (context) => measured(context, few) },
};

async function measured({ postgres }: Context, records: number): Promise<Sample> {
  const server = await postgres();
  const schema = server.schema();
  await (await openPostgresStore(schema.address, [defineResource(plain) as Resource])).close();
  const database = openDatabase(schema.address);
  for (let from = 1; from <= records; from += few) {
    const all = Array.from({ length: few }, (_, index) => entryOf(from + index));
    await database.writer.query(
      "INSERT INTO entries SELECT id, 1, 1, json FROM unnest($1::bigint[], $2::text[]) q(id, json)",
      all.map(({ id }) => id),
      all.map((record) => JSON.stringify(record)),
    );
  }
  await database.close();
  // This start makes the entries of the indexes.
  const store = await openPostgresStore(schema.address, [entry]);
  const sample = await measurePages(store, records, async () => {
    const [own, ofServer] = [ownCpu(), await server.cpuCounter()];
    return async (pages) => own() / pages + (await ofServer(pages));
  });
  await store.close();
  await schema.drop();
  return sample;
}
