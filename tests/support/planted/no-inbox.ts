// Handles every event as if it were new.
import { Inbox } from "../../../src/store/consumer/inbox";

Inbox.prototype.has = () => false;
