// Handles every event as if it were new.
import { SqliteInbox } from "../../../src/store/sqlite/consumer/inbox";

SqliteInbox.prototype.has = () => false;
