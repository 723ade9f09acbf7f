import type { Bug } from "./project";

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
      // The time of a commit on a slow disk.
      replacement: "\n  PERFORM pg_sleep(random() * 0.03);\nEND`;",
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
      text: "if (this.clock.now() >= this.#deadline) this.lose();",
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
