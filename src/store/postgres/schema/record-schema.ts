/** The commit functions of programs that run, and of others until nobody has used them for a day. */
export const functionSchema = `
  CREATE TABLE warren_commit_functions (name text COLLATE "C" PRIMARY KEY, used_at timestamptz NOT NULL DEFAULT now());
`;

/** SQL of what is kept beside the records. */
export const recordSchema = `
  -- How the newest program that has started stores the records of a resource.
  CREATE TABLE warren_resources (
    name      text COLLATE "C" PRIMARY KEY,
    shape     int NOT NULL,           -- number of the newest schema of the records
    upcast_to int NOT NULL,           -- all records were converted to this one, except for those in warren_outdated
    floor     bigint NOT NULL DEFAULT 0 -- records may have had ids up to this one
  );
  -- Records that an older program has written since they were converted.
  CREATE TABLE warren_outdated (resource text COLLATE "C", id bigint, PRIMARY KEY (resource, id));

  -- Sets a sequence of ids back to the first of those that were drawn and not used, unless others were drawn since. Draws take the same lock.
  CREATE FUNCTION warren_return_ids(ids_lock bigint, ids regclass, first bigint, next bigint) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE following bigint;
  BEGIN
    PERFORM pg_advisory_xact_lock(ids_lock);
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value + 100 ELSE last_value END FROM %s', ids) INTO following;
    IF following = next THEN PERFORM setval(ids, first, false); END IF;
  END $$;

  -- Groups of changes that were given up when their outcome was unknown. A call that arrives late commits nothing.
  CREATE TABLE warren_fences (group_id uuid PRIMARY KEY, at timestamptz NOT NULL);
  -- Returns whether a group was committed, by the id of its last event. If not, it never will be.
  CREATE FUNCTION warren_give_up(commit_lock bigint, lost_group uuid, last_event uuid) RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(commit_lock);
    IF EXISTS (SELECT FROM events WHERE id = last_event) THEN RETURN true; END IF;
    INSERT INTO warren_fences VALUES (lost_group, now()) ON CONFLICT DO NOTHING;
    DELETE FROM warren_fences WHERE at < now() - interval '1 day';
    RETURN false;
  END $$;

  -- The schema that all records of a resource were checked with last.
  CREATE TABLE warren_record_checks (resource text COLLATE "C" PRIMARY KEY, fingerprint text NOT NULL);

  -- The first answer to each request with an idempotency key, in parts.
  CREATE TABLE idempotency_keys (
    key         text COLLATE "C",
    part        int,
    number      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    fingerprint text NOT NULL,
    answer      text NOT NULL,
    at          bigint NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (key, part)
  );
  CREATE INDEX warren_idempotency_keys_at ON idempotency_keys (at);

  -- Written by the check whether the store can be written.
  CREATE TABLE warren_write_check (one boolean PRIMARY KEY DEFAULT true CHECK (one), filler text NOT NULL);
`;

/** Answers of different lives, of which the first to expire are deleted first. */
export const answerLivesSchema = `
  ALTER TABLE idempotency_keys ADD COLUMN lives_ms bigint NOT NULL DEFAULT 86400000;
  CREATE INDEX warren_idempotency_keys_end ON idempotency_keys ((at + lives_ms));
`;
