import type { NewReplay, ReplayRow } from "../replay";
import type { Lane, LaneProgress, Progress } from "./lanes";

/** How far a replay is in one lane. */
export interface LaneReplay extends LaneProgress {
  /** Number of matching events so far. */
  readonly sent: number;
}

/** The replays of one queue, which its consumer runs itself. */
export interface ReplayTable {
  add(replay: NewReplay): Promise<void>;
  /** Resolves with a replay. Its position is that of the lane that is least far. */
  get(id: string): Promise<ReplayRow | undefined>;
  /** Resolves with the unfinished replays of a log, oldest first. */
  unfinished(logId: string): Promise<ReplayRow[]>;
  /** Makes this process the one that replays lanes. Resolves with how far each is. */
  takeLanes(id: string, lanes: readonly Lane[]): Promise<(Progress & { readonly sent: number })[]>;
  /** Saves the progress in lanes, unless the replay has finished, for example because it was cancelled. */
  save(id: string, lanes: readonly LaneReplay[]): Promise<void>;
  /**
   * Records that a replay is finished, if it is in all lanes and has not finished.
   *
   * @param at ISO 8601 in UTC.
   * @returns whether it is finished.
   */
  finish(id: string, at: string): Promise<boolean>;
  /** Ends an unfinished replay with an error. */
  end(id: string, at: string, error: string): Promise<void>;
  /** Resolves with up to `limit` replays, newest first. */
  list(limit: number): Promise<ReplayRow[]>;
}
