import type { Resource } from "../../schema/resource";
import type { ServerInspection } from "../inspection";
import type { ConsumerMove } from "./consumer-move";
import type { MoveSource } from "./move-source";
import type { BulkTable, MovedRow } from "./moved-tables";

/** Where a store moves to. No process can serve it until all has moved. */
export interface MoveTarget {
  /** Its place, as messages show it. */
  readonly shown: string;
  /** Resolves with what could hinder the service there. Writes nothing. */
  inspect(): Promise<ServerInspection>;
  /**
   * Resolves with what is there. Writes nothing.
   *
   * @throws {Error} if it is something else than what moved from this source, or nothing may be created there.
   */
  standing(source: MoveSource): Promise<MoveStanding>;
  /** Makes this process the one that copies, and creates all tables. Deletes what was copied from an earlier state of the source. */
  begin(source: MoveSource, resources: readonly Resource[]): Promise<void>;
  /** Resolves with the key of the last row that was copied to a table, or with {@link beforeAll}. */
  copiedTo(table: BulkTable): Promise<number>;
  /**
   * Adds rows, all or none. Calls in a row need not wait for each other.
   *
   * @param after the key of the row before them.
   * @throws {Error} if another process has taken over.
   */
  copy(table: BulkTable, after: number, rows: readonly MovedRow[]): Promise<void>;
  /** Returns why the target cannot hold a row, or undefined if it can. */
  misfit(table: BulkTable, row: MovedRow): string | undefined;
  /**
   * Compares rows with those of the target by a checksum. Resolves with a difference, or with undefined if there is none.
   *
   * @param after the key of the row before them. The target must have no others up to the last one.
   */
  difference(table: BulkTable, after: number, rows: readonly MovedRow[]): Promise<string | undefined>;
  /** Resolves with the number of rows after a key. */
  rowsAfter(table: BulkTable, key: number): Promise<number>;
  /**
   * Copies what a consumer keeps, all or nothing, and compares it.
   *
   * @throws {Error} if the consumer has been started with the target, something cannot move, or another process has taken over.
   */
  moveConsumer(consumer: ConsumerMove): Promise<void>;
  /** Lets the next attempt copy everything again. */
  distrust(): Promise<void>;
  /** Adds the small tables, positions and ids, and makes the target valid, in one transaction. */
  finish(source: MoveSource): Promise<void>;
  close(): Promise<void>;
}

/** `empty`: nothing. `unfinished`: some of the source as it is now. `outdated`: some of it in an earlier state. `moved`: all of it. */
export type MoveStanding = "empty" | "unfinished" | "outdated" | "moved";

/** Less than each key. */
export const beforeAll = -1;
