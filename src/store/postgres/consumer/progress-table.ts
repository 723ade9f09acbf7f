import type { Lane, LaneProgress, Progress } from "../../consumer/lanes";
import type { ConsumerData } from "../../consumer/store";
import type { Access } from "./access";
import { laneCount } from "./schema";

/** Progress in a lane, and how many events a replay has sent there. */
export type SourceProgress = Progress & { readonly sent: number };

/** How far the lanes of a source are: of a log, or of a replay. */
export function sourceProgress({ query, table }: Access) {
  const progress = table("warren_progress");
  return {
    /** Begins in all lanes, unless that was done before. Resolves with whether it was not. */
    async begin(source: string, position: number): Promise<boolean> {
      const rows = await query(
        `INSERT INTO ${progress} (source, lane, position, begun) SELECT $1, lane, $2::bigint, $2::bigint
         FROM generate_series(0, ${laneCount - 1}) AS lane ON CONFLICT DO NOTHING RETURNING lane`,
        source,
        position,
      );
      return rows.length > 0;
    },
    /** Refuses what holders of earlier epochs save. Resolves with how far each lane is, in the order of the lanes. */
    async take(source: string, lanes: readonly Lane[]): Promise<SourceProgress[]> {
      const rows = await query<SourceProgress & { lane: number }>(
        `UPDATE ${progress} SET epoch = taken.epoch FROM unnest($2::int[], $3::bigint[]) AS taken(lane, epoch)
         WHERE source = $1 AND ${progress}.lane = taken.lane AND ${progress}.epoch <= taken.epoch
         RETURNING ${progress}.lane, position, begun, sent`,
        source,
        ...columnsOf(lanes),
      );
      return lanes.map(({ number }) => rows.find(({ lane }) => lane === number) ?? { position: 0, begun: 0, sent: 0 });
    },
    /** Saves progress. Resolves with the lanes that have a holder of a later epoch. */
    async save(source: string, all: readonly (LaneProgress & { readonly sent?: number })[]): Promise<Lane[]> {
      if (all.length === 0) return [];
      const rows = await query<{ lane: number }>(
        `UPDATE ${progress} SET position = saved.position, begun = saved.begun, sent = saved.sent
         FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS saved(lane, epoch, position, begun, sent)
         WHERE source = $1 AND ${progress}.lane = saved.lane AND ${progress}.epoch = saved.epoch RETURNING ${progress}.lane`,
        source,
        ...columnsOf(all.map(({ lane }) => lane)),
        all.map(({ position }) => position),
        all.map(({ begun }) => begun),
        all.map(({ sent = 0 }) => sent),
      );
      const saved = new Set(rows.map(({ lane }) => lane));
      return all.flatMap(({ lane }) => (saved.has(lane.number) ? [] : lane));
    },
  };
}

function columnsOf(lanes: readonly Lane[]): [numbers: number[], epochs: number[]] {
  return [lanes.map(({ number }) => number), lanes.map(({ epoch }) => epoch)];
}

type ProgressPart = Pick<ConsumerData, "progress" | "begin" | "takeLanes" | "saveProgress" | "followedTypes">;

/** Where the consumer is in a log, and what it reads there. */
export function progressIn(access: Access): ProgressPart {
  const { query, change, table } = access;
  const [progress, follows] = [table("warren_progress"), table("warren_follows")];
  const source = sourceProgress(access);
  return {
    async progress(logId) {
      const [row] = await query<{ position: number | null; begun: number }>(
        `SELECT min(position) AS position, max(begun) AS begun FROM ${progress} WHERE source = $1`,
        logId,
      );
      return row && row.position !== null ? { position: row.position, begun: row.begun } : undefined;
    },
    async begin(logId, position, types) {
      const isNew = await source.begin(logId, position);
      await change(
        `INSERT INTO ${follows} VALUES ($1, $2, $3) ON CONFLICT (log_id) DO UPDATE SET types = excluded.types`,
        logId,
        isNew ? position : 0,
        JSON.stringify(types),
      );
    },
    takeLanes: (logId, lanes) => source.take(logId, lanes),
    saveProgress: (logId, lanes) => source.save(logId, lanes),
    async followedTypes(logId) {
      const [row] = await query<{ types: string }>(`SELECT types FROM ${follows} WHERE log_id = $1`, logId);
      return row && (JSON.parse(row.types) as string[]);
    },
  };
}
