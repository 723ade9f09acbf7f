/** SQL of the relay to RabbitMQ, of the queues, and of the leases of tasks that one process at a time does. */
export const queueSchema = `
  CREATE TABLE warren_leases (
    name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, epoch bigint NOT NULL, expires_at timestamptz NOT NULL
  );

  -- The position up to which RabbitMQ has confirmed the log, saved by the leader of this epoch.
  CREATE TABLE relay (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), position bigint NOT NULL DEFAULT 0, epoch bigint NOT NULL DEFAULT 0
  );
  INSERT INTO relay DEFAULT VALUES;
  -- When a position of the relay was stored, in milliseconds since 1970.
  CREATE TABLE relay_times (position bigint PRIMARY KEY, at bigint);
  -- Why the relay cannot send events.
  CREATE TABLE warren_relay_trouble (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), queue text, what text NOT NULL, since text NOT NULL
  );

  -- Queues that consumers have announced.
  CREATE TABLE subscriptions (
    queue text COLLATE "C" PRIMARY KEY, types text NOT NULL, announced_at bigint NOT NULL, signed_at bigint
  );
  -- Queues on RabbitMQ in which events wait for their next attempt, and when (milliseconds since 1970) each is gone if nobody uses it.
  CREATE TABLE retry_queues (
    queue text COLLATE "C", delay_ms bigint, expires_at bigint NOT NULL, PRIMARY KEY (queue, delay_ms)
  );
  -- The PostgreSQL schemas of consumers, and when each was last used.
  CREATE TABLE warren_consumers (
    queue text COLLATE "C" PRIMARY KEY, schema text COLLATE "C" NOT NULL UNIQUE, used_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  -- The most recent announcements that were refused.
  CREATE TABLE warren_refusals (
    queue text COLLATE "C", problem text COLLATE "C", count bigint NOT NULL, last_at bigint NOT NULL, PRIMARY KEY (queue, problem)
  );
  CREATE TABLE warren_replays (
    id text COLLATE "C" PRIMARY KEY, log_id text NOT NULL, queue text NOT NULL, fill int NOT NULL, selection text NOT NULL,
    first bigint NOT NULL, position bigint NOT NULL, begun bigint NOT NULL, last bigint NOT NULL, sent bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0, created_at text NOT NULL, finished_at text, error text,
    epoch bigint NOT NULL DEFAULT 0 -- of the leader that makes it
  );
  CREATE INDEX warren_replays_unfinished ON warren_replays (id) WHERE finished_at IS NULL;
`;
