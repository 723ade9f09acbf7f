import type { Database } from "bun:sqlite";
import type { ReplayTable } from "../../consumer/replay-table";
import { replayTable } from "../relay/replay-table";
import type { Synchronous } from "./in-turn";

/** The replays in a consumer's file, which has one lane. */
export function replaysIn(db: Database): Synchronous<ReplayTable> {
  const { add, get, unfinished, save, list } = replayTable(db);
  function end(id: string, finishedAt: string, error: string | null): boolean {
    const row = get(id);
    if (!row || row.finishedAt !== null) return false;
    save(id, { ...row, finishedAt, error });
    return true;
  }
  return {
    add,
    get,
    unfinished,
    list,
    takeLanes: (id, lanes) => lanes.map(() => get(id) ?? { position: 0, begun: 0, sent: 0 }),
    save(id, lanes) {
      for (const { position, begun, sent } of lanes) save(id, { position, begun, sent, refused: 0, finishedAt: null, error: null });
    },
    finish: (id, at) => end(id, at, null),
    end: (id, at, error) => void end(id, at, error),
  };
}
