import { duration } from "../../observe/amounts";
import type { ServerInspection } from "../../store/inspection";
import { type Finding, failure, ok, warning } from "./finding";

/** Age of a transaction from which it needs attention, in seconds: while it is open, nothing that was deleted is cleared away. */
const longTransaction = 3600;

/** Difference of two clocks that is not worth a warning, in milliseconds. */
const toleratedMs = 2000;

/** Checks a database server: whether it can serve, and what could lose data or stop the service. */
export function serverFindings(server: ServerInspection): Finding[] {
  return [
    ...standing(server),
    ...durability(server),
    connections(server),
    encryption(server),
    role(server),
    ...transactions(server),
    ...clock(server),
  ];
}

function standing({ obstacles, product }: ServerInspection): Finding[] {
  return obstacles.length > 0 ? obstacles.map(({ what, todo }) => failure("server", what, todo)) : [ok("server", product)];
}

function durability({ dangers }: ServerInspection): Finding[] {
  if (dangers.length > 0) return dangers.map(({ what, todo }) => failure("durability", what, todo));
  return [ok("durability", "a commit that was answered survives a crash")];
}

function connections({ connections: { used, most, perProcess } }: ServerInspection): Finding {
  const use = `${used} of ${most} in use; each process of the service uses up to ${perProcess}`;
  if (most - used >= perProcess) return ok("connections", use);
  return warning("connections", use, "Raise max_connections, stop processes, or use PgBouncer.");
}

function encryption({ isEncrypted, isRemote }: ServerInspection): Finding {
  if (isEncrypted) return ok("encryption", "TLS");
  if (!isRemote) return ok("encryption", "none on this machine");
  return warning("encryption", "others on the network can read all data", "Remove sslmode=disable from DATABASE_URL.");
}

function role({ user, isSuperuser }: ServerInspection): Finding {
  if (!isSuperuser) return ok("role", `"${user}" is not a superuser`);
  return warning(
    "role",
    `"${user}" is a superuser, who may do anything on the server`,
    "Use a role with fewer rights: see docs/guide/postgres.md.",
  );
}

function transactions({ oldestTransactionSeconds: seconds }: ServerInspection): Finding[] {
  if (seconds === null || seconds < longTransaction) return [];
  const what = `a transaction has been open for ${duration(seconds * 1000)}, and nothing deleted since can be cleared away`;
  return [warning("transactions", what, "Look for it in pg_stat_activity, and end it.")];
}

function clock({ clockAheadMs }: ServerInspection): Finding[] {
  if (Math.abs(clockAheadMs) < toleratedMs) return [];
  const what = `The clock of the database server is ${duration(Math.abs(clockAheadMs))} ${clockAheadMs > 0 ? "ahead" : "behind"}.`;
  return [warning("clock", what, "Let the machines take their time from one source (NTP): timedatectl status")];
}
