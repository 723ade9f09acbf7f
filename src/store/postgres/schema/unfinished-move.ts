import { CannotOpenStore } from "../../errors";
import type { Advice } from "../../inspection";
import type { Queries } from "../connection/queries";

/** Notes a move in progress. The table is there from before the schema is created until all has moved. */
export const unfinishedSchema = `
  CREATE TABLE warren_unfinished_move (
    source text NOT NULL, -- as messages show it
    log_id text NOT NULL,
    state  text NOT NULL, -- of the source; empty: what was copied is not to be trusted
    run    uuid NOT NULL  -- of the process that copies
  );
`;

export interface UnfinishedMove {
  readonly source: string;
  readonly log_id: string;
  readonly state: string;
}

/** Resolves with the move in progress to a schema, or with undefined if there is none. */
export async function unfinishedMove({ query }: Queries): Promise<UnfinishedMove | undefined> {
  const [{ there } = { there: false }] = await query<{ there: boolean }>(
    "SELECT to_regclass('warren_unfinished_move') IS NOT NULL AS there",
  );
  return there ? (await query<UnfinishedMove>("SELECT source, log_id, state FROM warren_unfinished_move"))[0] : undefined;
}

/** @throws {Error} if a move to the schema is not finished, so that it lacks data. */
export async function refuseUnfinished(queries: Queries): Promise<void> {
  const move = await unfinishedMove(queries);
  if (move) throw new CannotOpenStore(`${aboutUnfinished(move).what}. ${aboutUnfinished(move).todo}`);
}

export function aboutUnfinished({ source }: UnfinishedMove): Advice {
  return {
    what: `Only a part of the data of ${source} has been moved to this PostgreSQL schema: the move goes on, or was interrupted`,
    todo: `Finish it, on the machine with that file: bun run migrate-to-postgres --from ${source}`,
  };
}
