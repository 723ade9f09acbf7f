import type { Database } from "bun:sqlite";
import type { QueueSubscription, RetryQueue, Store } from "../store";
import type { GroupCommit } from "./group-commit";
import { replayTable } from "./replay-table";

export function subscriptionsIn(db: Database, commits: GroupCommit): Store["subscriptions"] {
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO subscriptions VALUES (?, ?)");
  return {
    save: ({ queue, types }) => commits.run(() => save(queue, JSON.stringify(types))),
    list: async () => subscriptionsOf(db),
  };
}

export function subscriptionsOf(db: Database): QueueSubscription[] {
  return db
    .query<{ queue: string; types: string }, []>("SELECT queue, types FROM subscriptions ORDER BY queue")
    .all()
    .map(({ queue, types }) => ({ queue, types: JSON.parse(types) as string[] }));
}

export function savedRetryQueues(db: Database, commits: GroupCommit): Store["retryQueues"] {
  const save = commits.uncommitted.prepare("INSERT OR REPLACE INTO retry_queues (queue, delayMs, expiresAt) VALUES (?, ?, ?)");
  return {
    save: ({ queue, delayMs, expiresAt }) => commits.run(() => save(queue, delayMs, expiresAt)),
    list: async (now) => retryQueuesIn(db, now),
  };
}

export function retryQueuesIn(db: Database, now: number): RetryQueue[] {
  return db.query<RetryQueue, [number]>("SELECT * FROM retry_queues WHERE expiresAt > ? ORDER BY queue, delayMs").all(now);
}

export function replaysIn(db: Database, commits: GroupCommit, logId: string): Store["replays"] {
  const table = replayTable(db, (sql) => commits.uncommitted.prepare(sql));
  return {
    add: (replay) => commits.run(() => table.add({ ...replay, logId })),
    get: async (id) => table.get(id),
    unfinished: async () => table.unfinished(logId),
    save: (id, progress) => commits.run(() => table.save(id, progress)),
    list: async (limit) => table.list(limit),
  };
}
