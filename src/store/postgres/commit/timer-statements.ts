// The part of the commit function that is about timers. Its argument is the JSON of `timersArgument`.

/** Finds timers that the changes take for given and that are gone. */
export const timerChecks = `  IF w_timers IS NOT NULL THEN
    SELECT array_agg(q.n::int4) INTO timers FROM jsonb_array_elements_text(w_timers::jsonb->'read') WITH ORDINALITY q(number, n)
    WHERE NOT EXISTS (SELECT FROM warren_timers w WHERE w.number = q.number::int8);
  END IF;`;

/** Removes timers, then sets others, so that one takes the key of another. */
export const timerWrites = `  IF w_timers IS NOT NULL THEN
    DELETE FROM warren_timers w USING jsonb_array_elements_text(w_timers::jsonb->'cancelled') q(key) WHERE w.key = q.key;
    DELETE FROM warren_timers w USING jsonb_to_recordset(w_timers::jsonb->'dropped') q(resource text, subject int8)
    WHERE w.resource = q.resource AND w.subject = q.subject;
    DELETE FROM warren_timers w USING jsonb_array_elements_text(w_timers::jsonb->'taken') q(number) WHERE w.number = q.number::int8;
    UPDATE warren_timers w SET problem = q.problem FROM jsonb_to_recordset(w_timers::jsonb->'hindered') q(number int8, problem text)
    WHERE w.number = q.number;
    INSERT INTO warren_timers (due_at, key, resource, subject, event, version, data, cause, depth, actor, traceparent)
    SELECT q.* FROM jsonb_to_recordset(w_timers::jsonb->'set')
      q(due_at int8, key text, resource text, subject int8, event text, version int4, data text, cause text, depth int4, actor text, traceparent text);
  END IF;`;
