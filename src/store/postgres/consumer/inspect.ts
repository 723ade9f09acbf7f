import type { PostgresAddress } from "../../../config/postgres-url";
import type { Advice, FileInspection } from "../../inspection";
import type { Queries } from "../connection/queries";
import { lackedRights } from "../schema/rights";
import { sizeOf } from "../schema/size";
import { consumerMigrations } from "./schema";

interface Inspection {
  readonly stores: readonly FileInspection[];
  /** Why consumers could not work. */
  readonly obstacles: readonly Advice[];
}

/** Inspects what the consumers of the queues keep. Writes nothing. */
export async function inspectQueues(queries: Queries, address: PostgresAddress): Promise<Inspection> {
  const { query } = queries;
  const [found] = await query<{ there: boolean }>("SELECT to_regclass('warren_consumers') IS NOT NULL AS there");
  const stores: FileInspection[] = [];
  const obstacles: Advice[] = [];
  if (!found?.there) return { stores, obstacles };
  const known = await query<{ queue: string; schema: string; there: boolean }>(
    `SELECT queue, schema, EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = schema) AS there FROM warren_consumers ORDER BY queue`,
  );
  for (const { queue, schema, there } of known) {
    const own = { ...address, schema };
    const shown = `the schema "${schema}" in ${address.shown}`;
    const obstacle = there ? ((await lackedRights(queries, own)) ?? (await newer(queries, schema, shown))) : missing(queue, shown, address);
    if (obstacle) obstacles.push(obstacle);
    if (there) stores.push({ shown, bytes: await sizeOf(queries, own), pendingBytes: 0, damage: [] });
  }
  return { stores, obstacles };
}

function missing(queue: string, shown: string, { schema }: PostgresAddress): Advice {
  return {
    what: `What the consumer of "${queue}" keeps is missing: there is no ${shown.slice("the ".length)}`,
    todo: `Restore it from a backup. To have the consumer begin anew, run: DELETE FROM "${schema}".warren_consumers WHERE queue = '${queue}'`,
  };
}

async function newer({ query }: Queries, schema: string, shown: string): Promise<Advice | undefined> {
  const [row] = await query<{ version: number }>(`SELECT version FROM "${schema}".warren_schema_version`);
  if (!row || row.version <= consumerMigrations.length) return undefined;
  return {
    what: `${shown} has version ${row.version}, and this program knows versions up to ${consumerMigrations.length}`,
    todo: "Start the newer version of Warren that wrote it.",
  };
}
