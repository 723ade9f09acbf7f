import { afterEach, beforeEach } from "bun:test";
import type { Resource } from "../../src/schema/resource";
import { openStore } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import { type PostgresSchema, schemaIn, sharedPostgres } from "./postgres";
import { memberOf } from "./use-store";

let schemas = 0;

/**
 * Opens several stores on one new schema before each test of a block, as several processes do. Closes them after the test, and drops the
 * schema.
 */
export function useStores(count: number, resources: readonly Resource[]) {
  let schema: PostgresSchema;
  let opened: Store[] = [];
  beforeEach(async () => {
    schemas += 1;
    schema = schemaIn(await sharedPostgres(), `several_${schemas}`);
    for (let each = 0; each < count; each += 1) opened.push(await openStore({ database: schema.address }, resources));
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
    await schema.drop();
  });
  const leadingTo = (index: number) => new Proxy({} as Store, { get: (_, name) => memberOf(opened[index] as Store, name) });
  return {
    stores: Array.from({ length: count }, (_, index) => leadingTo(index)),
    schema: () => schema,
  };
}
