import type { Database } from "bun:sqlite";
import type { QueueSubscription, RetryQueue } from "../../queue-store";
import type { Store } from "../../store";
import type { GroupCommit } from "../commit/group-commit";
import { replayTable } from "./replay-table";

export function subscriptionsIn(db: Database, commits: GroupCommit): Store["subscriptions"] {
  const save = commits.uncommitted.prepare(
    "INSERT OR REPLACE INTO subscriptions (queue, types, announcedAt, signedAt) VALUES (?, ?, ?, ?)",
  );
  const forget = commits.uncommitted.prepare("DELETE FROM subscriptions WHERE queue = ?");
  const forgetRemoved = commits.uncommitted.prepare("DELETE FROM subscriptions WHERE types = '[]' AND announcedAt < ?");
  return {
    save: ({ queue, types, announcedAt, signedAt }) => commits.run(() => save(queue, JSON.stringify(types), announcedAt, signedAt)),
    find: async (queue) => {
      const row = db.query<SubscriptionRow, [string]>("SELECT * FROM subscriptions WHERE queue = ?").get(queue);
      return row ? toSubscription(row) : undefined;
    },
    list: async () => subscriptionsOf(db),
    forget: (queues) =>
      commits.run(() => {
        for (const queue of queues) forget(queue);
      }),
    forgetRemoved: (before) => commits.run(() => forgetRemoved(before)),
  };
}

type SubscriptionRow = Omit<QueueSubscription, "types"> & { readonly types: string };

const toSubscription = (row: SubscriptionRow): QueueSubscription => ({ ...row, types: JSON.parse(row.types) as string[] });

export function subscriptionsOf(db: Database): QueueSubscription[] {
  return db.query<SubscriptionRow, []>("SELECT * FROM subscriptions WHERE types <> '[]' ORDER BY queue").all().map(toSubscription);
}

export function savedRetryQueues(db: Database, commits: GroupCommit): Store["retryQueues"] {
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO retry_queues (queue, delayMs, expiresAt) VALUES (?, ?, ?)");
  const remove = commits.uncommitted.prepare("DELETE FROM retry_queues WHERE queue = ?");
  return {
    remove: (queue) => commits.run(() => remove(queue)),
    save: ({ queue, delayMs, expiresAt }) => commits.run(() => save(queue, delayMs, expiresAt)),
    list: async (now) => retryQueuesIn(db, now),
  };
}

export function retryQueuesIn(db: Database, now: number): RetryQueue[] {
  return db.query<RetryQueue, [number]>("SELECT * FROM retry_queues WHERE expiresAt > ? ORDER BY queue, delayMs").all(now);
}

export function replaysIn(db: Database, commits: GroupCommit, logId: string): Store["replays"] {
  const table = replayTable(db, (sql) => commits.uncommitted.prepare(sql));
  const end = commits.uncommitted.prepare("UPDATE warren_replays SET finishedAt = ?, error = ? WHERE id = ? AND finishedAt IS NULL");
  const unfinished = async () => table.unfinished(logId);
  return {
    add: (replay) => commits.run(() => table.add({ ...replay, logId })),
    get: async (id) => table.get(id),
    unfinished,
    takeOver: unfinished,
    save: (id, progress) => commits.run(() => table.save(id, progress)),
    end: (id, finishedAt, error) => commits.run(() => end(finishedAt, error, id)),
    list: async (limit) => table.list(limit),
  };
}
