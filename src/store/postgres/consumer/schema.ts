import type { Migrations } from "../schema/migrations";

/** Number of lanes of a queue, and so the maximum number of processes that share it. */
export const laneCount = 32;

/** SQL of what a consumer keeps, in a schema of its own. Times are milliseconds since 1970 by the clock of the database. */
export const consumerMigrations: Migrations = [
  () => `
  -- The processes that consume the queue, and the lanes of each.
  CREATE TABLE warren_members (holder text COLLATE "C" PRIMARY KEY, expires_at timestamptz NOT NULL);
  CREATE TABLE warren_lanes (
    lane int PRIMARY KEY, holder text COLLATE "C", epoch bigint NOT NULL DEFAULT 0, expires_at timestamptz NOT NULL DEFAULT '-infinity'
  ) WITH (fillfactor = 50);
  INSERT INTO warren_lanes (lane) SELECT generate_series(0, ${laneCount - 1});

  -- How far the consumer is in a log, or in a replay, which is named by its id. Saved by the holder of the lane in this epoch.
  CREATE TABLE warren_progress (
    source text COLLATE "C", lane int, position bigint NOT NULL, begun bigint NOT NULL, sent bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0, PRIMARY KEY (source, lane)
  ) WITH (fillfactor = 50);
  CREATE TABLE warren_follows (log_id text COLLATE "C" PRIMARY KEY, start bigint NOT NULL, types text NOT NULL);
  CREATE TABLE warren_replays (
    id text COLLATE "C" PRIMARY KEY, log_id text NOT NULL, queue text NOT NULL, fill int NOT NULL, selection text NOT NULL,
    first bigint NOT NULL, last bigint NOT NULL, sent bigint NOT NULL DEFAULT 0, created_at text NOT NULL, finished_at text, error text
  );

  CREATE TABLE warren_waiting (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lane int NOT NULL, id text COLLATE "C" NOT NULL, body text NOT NULL,
    attempts int NOT NULL, due_at bigint NOT NULL, delay_ms bigint NOT NULL, first_failure text, replay text NOT NULL, traceparent text,
    begun int NOT NULL DEFAULT 0
  );
  CREATE INDEX warren_waiting_due ON warren_waiting (due_at, number);
  CREATE INDEX warren_waiting_id ON warren_waiting (id);
  CREATE TABLE warren_dead (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL, type text COLLATE "C", body text NOT NULL,
    reason text COLLATE "C" NOT NULL, error text NOT NULL, stack text, attempts int NOT NULL, first_failure text NOT NULL,
    last_failure text NOT NULL, replay text NOT NULL, traceparent text
  );
  CREATE INDEX warren_dead_id ON warren_dead (id);
  CREATE TABLE warren_deaths (id text COLLATE "C" PRIMARY KEY, count int NOT NULL);
  CREATE TABLE warren_attempts (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL, attempt int NOT NULL, at bigint NOT NULL,
    outcome text NOT NULL, reason text, error text, due_at bigint
  );
  CREATE INDEX warren_attempts_id ON warren_attempts (id);
  CREATE TABLE warren_inbox (id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL);
  CREATE INDEX warren_inbox_at ON warren_inbox (at);
  `,
  () => `
  -- Hashes of the statements of the consumer's \`setup\` that have been run.
  CREATE TABLE warren_setup (statement text COLLATE "C" PRIMARY KEY);
  `,
];
