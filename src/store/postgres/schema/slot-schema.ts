/** SQL of what is derived from records, for lists, references and unique keys. */
export const slotSchema = (schema: string) => `
  -- A number for each declaration of which entries are kept, with what they are made of.
  CREATE TABLE warren_slots (
    slot       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource   text COLLATE "C" NOT NULL,
    definition text COLLATE "C" NOT NULL,
    last_id    bigint NOT NULL,            -- records up to this id may be older than the slot
    filled_to  bigint NOT NULL DEFAULT 0,  -- of those, the ones up to this id have their entries
    filler     text,                       -- the process that fills it now, as long as it says so
    filling_until timestamptz,
    is_dropped boolean NOT NULL DEFAULT false -- its entries are being deleted
  );
  CREATE UNIQUE INDEX warren_slots_definition ON warren_slots (resource, md5(definition)) WHERE NOT is_dropped;
  -- Changes with the slots, under the commit lock, so that no commit writes the entries of others than these.
  CREATE TABLE warren_slots_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version int NOT NULL);
  INSERT INTO warren_slots_version (version) VALUES (1);
  -- The processes that run, with the slots that their program declares.
  CREATE TABLE warren_programs (process text COLLATE "C" PRIMARY KEY, slots int[] NOT NULL, seen_at timestamptz NOT NULL DEFAULT now());

  -- The table of each resource, so that another plural is noticed.
  CREATE TABLE warren_tables (resource text COLLATE "C" PRIMARY KEY, plural text NOT NULL);

  -- Entries in the order of their keys, for all but unique keys. count: how often a word occurs.
  CREATE TABLE warren_entries (slot int, key text COLLATE "C", id bigint, count int, PRIMARY KEY (slot, key, id))
    WITH (autovacuum_vacuum_scale_factor = 0.02); -- a change leaves dead entries, which lists pass over
  CREATE TABLE warren_unique_values (slot int, value text COLLATE "C", id bigint NOT NULL, PRIMARY KEY (slot, value));

  -- Adds entries of records that are older than some slots, unless a record has changed since it was read (its mark is another one).
  -- Returns the ids of those that have, and unique values that another record has. Without looks, it takes the entries for new: most are,
  -- and looking for each takes longer than adding it. were_there: whether some were there.
  CREATE FUNCTION warren_fill_1(commit_lock bigint, plural text, r_id bigint[], r_mark text[],
    e_slot int[], e_key text[], e_id bigint[], e_count int[], v_slot int[], v_value text[], v_id bigint[], slots int[], up_to bigint, looks boolean,
    OUT changed bigint[], OUT were_there boolean, OUT taken_slot int[], OUT taken_id bigint[], OUT taken_by bigint[])
  LANGUAGE plpgsql SET search_path = "${schema}", pg_temp SET enable_seqscan = off SET enable_hashjoin = on AS $$
  DECLARE same bigint[]; added bigint;
  BEGIN
    PERFORM pg_advisory_xact_lock(commit_lock);
    -- What a crash takes, it takes with the note of it, so that it is added again. The last call has no records and waits for the disk.
    IF cardinality(r_id) > 0 THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
    -- With OFFSET, each is looked up by itself: a join could read the whole table, by statistics of an earlier time.
    EXECUTE format('SELECT array_agg(r.id) FILTER (WHERE r.mark = q.mark), array_agg(r.id) FILTER (WHERE r.mark <> q.mark)
      FROM unnest($1, $2) q(id, mark) CROSS JOIN LATERAL (SELECT r.id, r.xmin::text AS mark FROM %I r WHERE r.id = q.id OFFSET 0) r', plural)
      INTO same, changed USING r_id, r_mark;
    were_there := false;
    IF NOT looks AND cardinality(same) = cardinality(r_id) THEN
      BEGIN
        INSERT INTO warren_entries SELECT * FROM unnest(e_slot, e_key, e_id, e_count);
        added := cardinality(e_id);
      EXCEPTION WHEN unique_violation THEN were_there := true;
      END;
    END IF;
    IF added IS NULL THEN
      INSERT INTO warren_entries SELECT q.* FROM unnest(e_slot, e_key, e_id, e_count) q(slot, key, id, count) JOIN unnest(same) s(id) USING (id)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS added = ROW_COUNT;
      were_there := were_there OR added < cardinality(e_id);
    END IF;
    INSERT INTO warren_unique_values SELECT q.* FROM unnest(v_slot, v_value, v_id) q(slot, value, id) JOIN unnest(same) s(id) USING (id)
    ORDER BY q.id ON CONFLICT DO NOTHING;
    SELECT array_agg(q.slot ORDER BY w.id, q.id), array_agg(q.id ORDER BY w.id, q.id), array_agg(w.id ORDER BY w.id, q.id) INTO taken_slot, taken_id, taken_by
    FROM unnest(v_slot, v_value, v_id) q(slot, value, id) JOIN unnest(same) s(id) USING (id)
    CROSS JOIN LATERAL (SELECT w.id FROM warren_unique_values w WHERE w.slot = q.slot AND w.value = q.value OFFSET 0) w WHERE w.id <> q.id;
    IF up_to IS NOT NULL THEN
      UPDATE warren_slots w SET filled_to = greatest(w.filled_to, up_to) WHERE w.slot = ANY (slots);
    END IF;
  END $$;
`;
