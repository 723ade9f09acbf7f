import type { NewReplay, ReplayProgress, ReplayRow } from "../replay";

export interface ReplayTable {
  add(replay: NewReplay): void;
  get(id: string): ReplayRow | undefined;
  /** Returns the unfinished replays of a log, oldest first. */
  unfinished(logId: string): ReplayRow[];
  /** Saves the progress of a replay, unless it has finished, for example because it was cancelled. */
  save(id: string, progress: ReplayProgress): void;
  /** Returns up to `limit` replays, newest first. */
  list(limit: number): ReplayRow[];
}
