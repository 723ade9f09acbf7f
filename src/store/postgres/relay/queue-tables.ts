import type { QueueSubscription, Refusal, RetryQueue } from "../../queue-store";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";

type Connections = Pick<Database, "query" | "writer">;

const subscription = `queue, types, announced_at AS "announcedAt", signed_at AS "signedAt"`;

export function subscriptionsIn({ query, writer }: Connections): Store["subscriptions"] {
  return {
    async save({ queue, types, announcedAt, signedAt }) {
      await writer.query(
        `INSERT INTO subscriptions (queue, types, announced_at, signed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (queue) DO UPDATE SET types = excluded.types, announced_at = excluded.announced_at, signed_at = excluded.signed_at`,
        queue,
        JSON.stringify(types),
        announcedAt,
        signedAt,
      );
    },
    async find(queue) {
      const [row] = await query<SubscriptionRow>(`SELECT ${subscription} FROM subscriptions WHERE queue = $1`, queue);
      return row && toSubscription(row);
    },
    list: () => subscriptionsOf({ query }),
    async forget(queues) {
      await writer.query("DELETE FROM subscriptions WHERE queue = ANY($1::text[])", queues);
    },
    async forgetRemoved(before) {
      await writer.query("DELETE FROM subscriptions WHERE types = '[]' AND announced_at < $1", before);
    },
  };
}

type SubscriptionRow = Omit<QueueSubscription, "types"> & { readonly types: string };

const toSubscription = (row: SubscriptionRow): QueueSubscription => ({ ...row, types: JSON.parse(row.types) as string[] });

/** Resolves with the queues that consumers have announced, without removed ones. */
export async function subscriptionsOf({ query }: Queries): Promise<QueueSubscription[]> {
  const rows = await query<SubscriptionRow>(`SELECT ${subscription} FROM subscriptions WHERE types <> '[]' ORDER BY queue`);
  return rows.map(toSubscription);
}

export function savedRetryQueues({ query, writer }: Connections): Store["retryQueues"] {
  return {
    async save({ queue, delayMs, expiresAt }) {
      await writer.query(
        `INSERT INTO retry_queues (queue, delay_ms, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (queue, delay_ms) DO UPDATE SET expires_at = excluded.expires_at`,
        queue,
        delayMs,
        expiresAt,
      );
    },
    async remove(queue) {
      await writer.query("DELETE FROM retry_queues WHERE queue = $1", queue);
    },
    list: (now) => retryQueuesIn({ query }, now),
  };
}

/** Resolves with the retry queues that have not expired at `now`, in milliseconds since 1970. */
export function retryQueuesIn({ query }: Queries, now: number): Promise<RetryQueue[]> {
  return query<RetryQueue>(
    `SELECT queue, delay_ms AS "delayMs", expires_at AS "expiresAt" FROM retry_queues WHERE expires_at > $1 ORDER BY queue, delay_ms`,
    now,
  );
}

/** Maximum number of refusals to keep. It is limited because the sender chooses the queue names. */
const mostKept = 100;

export function refusalsIn({ query, writer }: Connections): Store["refusals"] {
  return {
    async save({ queue, problem, count, lastAt }) {
      await writer.query(
        `INSERT INTO warren_refusals (queue, problem, count, last_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (queue, problem) DO UPDATE SET count = excluded.count, last_at = excluded.last_at`,
        // PostgreSQL takes no U+0000, and the sender chooses the name.
        queue.replaceAll("\0", "\ufffd"),
        problem,
        count,
        lastAt,
      );
      await writer.query(
        `DELETE FROM warren_refusals WHERE (queue, problem) NOT IN
           (SELECT queue, problem FROM warren_refusals ORDER BY last_at DESC LIMIT ${mostKept})`,
      );
    },
    list: (since) => refusalsOf({ query }, since),
  };
}

/** Resolves with the announcements refused after a time, in milliseconds since 1970, newest first. */
export function refusalsOf({ query }: Queries, since: number): Promise<Refusal[]> {
  return query<Refusal>(
    `SELECT queue, problem, count, last_at AS "lastAt" FROM warren_refusals WHERE last_at > $1 ORDER BY last_at DESC`,
    since,
  );
}
