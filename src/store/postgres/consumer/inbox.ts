import type { Inbox } from "../../consumer/inbox";
import type { Access } from "./access";
import { databaseNow, fromNow } from "./database-clock";

/** The inbox of a queue. All its processes share it, and its primary key has one of two that claim an id at once wait for the other. */
export function inboxTable({ query, change, table }: Access): Inbox & { bound(): Promise<void> } {
  const inbox = table("warren_inbox");
  return {
    async has(eventId) {
      return (await query(`SELECT 1 FROM ${inbox} WHERE id = $1`, eventId)).length > 0;
    },
    async claim(eventIds, now) {
      // In the order of the ids, so that two processes with the same events do not wait for each other.
      const rows = await query<{ id: string }>(
        `INSERT INTO ${inbox} SELECT id, ${databaseNow} + $2::bigint FROM unnest($1::text[]) AS claimed(id) GROUP BY id ORDER BY id COLLATE "C"
         ON CONFLICT DO NOTHING RETURNING id`,
        [...eventIds],
        fromNow(now),
      );
      return new Set(rows.map(({ id }) => id));
    },
    async release(eventIds) {
      await change(`DELETE FROM ${inbox} WHERE id = ANY($1::text[])`, [...eventIds]);
    },
    async add(eventIds, now) {
      await change(
        `INSERT INTO ${inbox} SELECT id, ${databaseNow} + $2::bigint FROM unnest($1::text[]) AS added(id) GROUP BY id ORDER BY id COLLATE "C"
         ON CONFLICT (id) DO UPDATE SET at = excluded.at`,
        [...eventIds],
        fromNow(now),
      );
    },
    async expire(before) {
      return change(`DELETE FROM ${inbox} WHERE at < ${databaseNow} + $1::bigint`, fromNow(before));
    },
    /** Corrects times that the clock of the database gave when it was ahead. */
    async bound() {
      await change(`UPDATE ${inbox} SET at = ${databaseNow} WHERE at > ${databaseNow}`);
    },
  };
}
