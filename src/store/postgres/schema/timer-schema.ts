/** SQL of the events to publish later. */
export const timerSchema = `
  CREATE TABLE warren_timers (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due_at      bigint NOT NULL, -- milliseconds since 1970
    key         text COLLATE "C",
    resource    text COLLATE "C" NOT NULL,
    subject     bigint NOT NULL,
    event       text NOT NULL,
    version     int NOT NULL,
    data        text NOT NULL,
    cause       text,
    depth       int NOT NULL,
    actor       text,
    traceparent text,
    problem     text -- why it cannot become an event
  );
  CREATE INDEX warren_timers_due ON warren_timers (due_at, number);
  CREATE UNIQUE INDEX warren_timers_key ON warren_timers (key) WHERE key IS NOT NULL;
  CREATE INDEX warren_timers_record ON warren_timers (resource, subject);
  CREATE INDEX warren_timers_hindered ON warren_timers (number) WHERE problem IS NOT NULL;
`;

/**
 * Those with a problem are apart, so that they never have to be passed over. With the resource in the index, those of others are passed
 * over without reading their rows. A record's index also serves a look-up by its id alone.
 */
export const timerIndexes = `
  DROP INDEX warren_timers_due, warren_timers_hindered, warren_timers_record;
  CREATE INDEX warren_timers_due ON warren_timers (due_at, number, resource) WHERE problem IS NULL;
  CREATE INDEX warren_timers_hindered ON warren_timers (due_at, number, resource) WHERE problem IS NOT NULL;
  CREATE INDEX warren_timers_record ON warren_timers (subject, resource);
`;
