/** SQL of what is kept beside the tables of resources, which are made as the resources declare them. */
export const recordSchema = `
  -- A number for each declaration whose entries are in a table that all resources share, with what the entries were made from.
  CREATE TABLE warren_slots (slot int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, definition text NOT NULL);
  CREATE TABLE warren_unique_values (slot int, value text COLLATE "C", id bigint NOT NULL, PRIMARY KEY (slot, value));
  CREATE TABLE warren_references (slot int, target bigint, id bigint, PRIMARY KEY (slot, target, id));
  CREATE TABLE warren_elements (slot int, value text COLLATE "C", id bigint, PRIMARY KEY (slot, value, id));
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
