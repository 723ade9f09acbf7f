import { Broker } from "../../src/broker/connection";
import { LogCursor } from "../../src/delivery/log-cursor";

/** Calls back between the effect of each event and its acknowledgement, on either transport: for a process that dies there. */
export function beforeEachAck(call: () => void): void {
  const { keepChannel } = Broker.prototype;
  Broker.prototype.keepChannel = function (use, stop) {
    const watched: typeof use = (channel, closed) => {
      const ack = channel.ack.bind(channel);
      channel.ack = (message) => {
        call();
        ack(message);
      };
      return use(channel, closed);
    };
    return keepChannel.call(this, watched, stop);
  };
  const { take } = LogCursor.prototype;
  LogCursor.prototype.take = function (entry) {
    const settle = take.call(this, entry);
    return () => {
      call();
      settle();
    };
  };
}
