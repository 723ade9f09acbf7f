// Takes the confirm of any message as the confirm of all that were sent.
import { ConfirmedPrefix } from "../../../src/delivery/confirmed-prefix";

const newest = new WeakMap<ConfirmedPrefix, number>();
ConfirmedPrefix.prototype.send = function (position) {
  newest.set(this, position);
  return () => newest.get(this);
};
