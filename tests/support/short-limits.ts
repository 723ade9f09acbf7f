// Loaded first by a process that is to notice dead connections to PostgreSQL within seconds instead of a minute.
import { defaultLimits } from "../../src/store/postgres/connection/settings";

Object.assign(defaultLimits, { statementMs: 3000, idleInTransactionMs: 3000, connectMs: 3000, listenMs: 5000 });
