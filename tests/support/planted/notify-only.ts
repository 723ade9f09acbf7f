// A process that learns of the commits of others by notifications only.
import { LogWatch } from "../../../src/store/postgres/log/log-watch";

LogWatch.prototype.look = async () => {};
