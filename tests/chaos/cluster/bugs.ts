import type { Bug } from "../project";

/** Bugs that the suite must find, by name. */
export const bugs = {
  /** Positions are not in the order of commits, so that a reader passes over events. */
  "no-order-lock": [
    {
      file: "src/store/postgres/commit/commit-function.ts",
      text: "{locks.commit});\n",
      // A lock that no other connection takes.
      replacement: "{locks.commit} * 0 + pg_backend_pid());\n",
    },
    {
      file: "src/store/postgres/commit/commit-function.ts",
      text: "\nEND`;",
      // Some commits wait, as on a slow disk, until another process has committed a later position, and readers had the time to pass
      // over this one. Not a commit of a transfer: the others would wait for its rows.
      replacement: `
  IF e_id IS NOT NULL AND 'transfer.created' <> ALL (e_type) THEN
    IF currval('warren_events_position') % 5 = 0 THEN
      FOR looks IN 1..100 LOOP
        EXIT WHEN EXISTS (SELECT FROM events WHERE position > currval('warren_events_position'));
        PERFORM pg_sleep(0.01);
      END LOOP;
      PERFORM pg_sleep(0.2);
    END IF;
  END IF;
END\`;`,
    },
    {
      file: "src/feed/event-streams.ts",
      text: "const share = 0.05;",
      // Streams do not rest between two looks, so that none looks only when all is committed.
      replacement: "const share = 1;",
    },
  ],
  /** A leader that was suspended goes on as if it still led, and saves its position over a later one. */
  "relay-without-fence": [
    {
      file: "src/store/postgres/relay/relay-position.ts",
      text: "UPDATE relay SET position = $1 WHERE epoch = $2 RETURNING position",
      replacement: "UPDATE relay SET position = $1 WHERE $2::bigint IS NOT NULL RETURNING position",
    },
    {
      file: "src/store/postgres/leases/held-lease.ts",
      text: "    this.#lost.abort();\n",
      replacement: "",
    },
  ],
  /** Two processes of one queue do not know what the other one has done. */
  "inbox-per-process": [
    {
      file: "src/store/open.ts",
      text: '  if (database.engine === "postgres") return new PostgresConsumerStores(database);\n  return new ConsumerFiles(',
      replacement: "  if (!database) return new PostgresConsumerStores(database);\n  return new ConsumerFiles(",
    },
  ],
} as const satisfies Record<string, readonly Bug[]>;
