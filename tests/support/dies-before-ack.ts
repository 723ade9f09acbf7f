import { LogCursor } from "../../src/embedded/log-cursor";
import { Acknowledgements } from "../../src/rabbitmq/acknowledgements";

/** Calls back between the effect of each event and its acknowledgement, on either transport. For a process that dies there. */
export function beforeEachAck(call: () => void): void {
  const { add } = Acknowledgements.prototype;
  Acknowledgements.prototype.add = function (message, outcome) {
    call();
    add.call(this, message, outcome);
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
