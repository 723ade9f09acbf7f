/** SQL of the event log. */
export const logSchema = (schema: string) => `
  -- Tells a consumer that its position belongs to this log and not to one that was here before.
  CREATE TABLE meta (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    log_id    text NOT NULL,
    pruned_to bigint NOT NULL DEFAULT 0 -- readers find no events up to this position, whether or not they are deleted
  );
  INSERT INTO meta (log_id) VALUES (replace(gen_random_uuid()::text, '-', ''));

  -- Without a cache, so that positions drawn under the commit lock are in the order of commits.
  CREATE SEQUENCE warren_events_position CACHE 1;
  CREATE TABLE events (
    position     bigint PRIMARY KEY,
    id           uuid NOT NULL,
    type         text NOT NULL,
    subject      bigint NOT NULL,
    timestamp    text COLLATE "C" NOT NULL,
    body         text NOT NULL,
    traceparent  text,
    request_id   text,
    requested_at bigint, -- milliseconds since 1970
    owner        text,   -- to whom the record belongs, if its resource has owners
    scope        text
  ) PARTITION BY RANGE (position);
  CREATE INDEX warren_events_id ON events (id);
  CREATE INDEX warren_events_subject ON events (subject, position);

  -- The partitions of events: positions from first up to next, without next.
  CREATE TABLE warren_partitions (first bigint PRIMARY KEY, next bigint NOT NULL);
  -- Adds partitions of this width until there is one for a position. With the rights of its owner, since who writes events may not do that.
  -- Attaches them, which does not block readers and writers, unlike creating them in their place.
  CREATE FUNCTION warren_cover_position(wanted bigint, width bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = "${schema}", pg_temp AS $$
  DECLARE start bigint;
  BEGIN
    LOCK TABLE warren_partitions IN SHARE ROW EXCLUSIVE MODE;
    LOOP
      SELECT coalesce(max(next), 1) INTO start FROM warren_partitions;
      EXIT WHEN start > wanted;
      EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', 'warren_events_' || start);
      EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', 'warren_events_' || start, start, start + width);
      INSERT INTO warren_partitions VALUES (start, start + width);
    END LOOP;
  END $$;
  -- Drops the first partition if readers find none of its events. Returns whether it did. With the rights of its owner, as above. Waits
  -- for readers and writers of the log only for a moment, since others would wait behind it.
  CREATE FUNCTION warren_drop_partition() RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = "${schema}", pg_temp SET lock_timeout = '100ms' AS $$
  DECLARE start bigint;
  BEGIN
    LOCK TABLE warren_partitions IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM warren_partitions WHERE first = (SELECT min(first) FROM warren_partitions) AND next <= (SELECT pruned_to FROM meta) + 1
        AND first < (SELECT max(first) FROM warren_partitions) -- the next ones continue behind the last
      RETURNING first INTO start;
    IF start IS NULL THEN RETURN false; END IF;
    EXECUTE format('DROP TABLE %I', 'warren_events_' || start);
    RETURN true;
  END $$;
  SELECT warren_cover_position(2 * ${partitionWidth}, ${partitionWidth});
`;

/** The event whose handler made the change. The index has only events with a cause, so the others cost nothing more. */
export const causeSchema = `
  ALTER TABLE events ADD COLUMN cause text COLLATE "C";
  CREATE INDEX warren_events_cause ON events (cause) WHERE cause IS NOT NULL;
`;

/** Number of positions of a partition of the log. */
export const partitionWidth = 1_000_000;
