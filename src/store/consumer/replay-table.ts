import type { NewReplay, ReplayProgress, ReplayRow } from "../replay";

export interface ReplayTable {
  add(replay: NewReplay): Promise<void>;
  get(id: string): Promise<ReplayRow | undefined>;
  /** Resolves with the unfinished replays of a log, oldest first. */
  unfinished(logId: string): Promise<ReplayRow[]>;
  /** Saves the progress of a replay, unless it has finished, for example because it was cancelled. */
  save(id: string, progress: ReplayProgress): Promise<void>;
  /** Resolves with up to `limit` replays, newest first. */
  list(limit: number): Promise<ReplayRow[]>;
}
