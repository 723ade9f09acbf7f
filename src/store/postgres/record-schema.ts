/** SQL of what is kept beside the records. */
export const recordSchema = `
  -- The schema that all records of a resource were checked with last.
  CREATE TABLE warren_record_checks (resource text PRIMARY KEY, fingerprint text NOT NULL);

  -- The first answer to each request with an idempotency key, in parts.
  CREATE TABLE idempotency_keys (
    key         text COLLATE "C",
    part        int,
    fingerprint text NOT NULL,
    answer      text NOT NULL,
    at          bigint NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (key, part)
  );
  CREATE INDEX warren_idempotency_keys_at ON idempotency_keys (at);

  -- Written by the check whether the store can be written.
  CREATE TABLE warren_write_check (one boolean PRIMARY KEY DEFAULT true CHECK (one), filler text NOT NULL);
`;
