// An API that kills itself with kill -9 at an exact point of the relay: when CRASH_POINT is reached for the CRASH_AFTER-th time.
import { Publisher } from "../../../src/rabbitmq/publisher";
import { Relay } from "../../../src/rabbitmq/relay";
import type { CrashPoint } from "../crash-points";
import { atCrashPoint } from "./crash";

const point = process.env["CRASH_POINT"] as CrashPoint;

const { send } = Publisher.prototype;
Publisher.prototype.send = function (message, settled) {
  if (point === "before-publish") atCrashPoint();
  send.call(this, message, (error) => {
    if (point === "after-confirm" && !error) atCrashPoint();
    settled(error);
  });
  // By the next turn, the message is sent and its confirm has not arrived.
  if (point === "after-publish") setImmediate(atCrashPoint);
};

const { run } = Relay.prototype;
const watched = new WeakSet<object>();
Relay.prototype.run = function (channel, leadership) {
  const { relayed } = this.options;
  if (point === "after-position" && !watched.has(relayed)) {
    watched.add(relayed);
    const { save } = relayed;
    relayed.save = async (position, leader) => {
      const isSaved = await save(position, leader);
      atCrashPoint();
      return isSaved;
    };
  }
  return run.call(this, channel, leadership);
};

await import("../../../src/main");
