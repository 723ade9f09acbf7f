import { LaneCursor } from "../../src/embedded/lane-cursor";
import { Acknowledgements } from "../../src/rabbitmq/acknowledgements";

/** Calls back between the effect of each event and its acknowledgement, on either transport. For a process that dies there. */
export function beforeEachAck(call: () => void): void {
  const { add } = Acknowledgements.prototype;
  Acknowledgements.prototype.add = function (message, outcome) {
    call();
    add.call(this, message, outcome);
  };
  const { take } = LaneCursor.prototype;
  LaneCursor.prototype.take = function (position) {
    const settle = take.call(this, position);
    return () => {
      call();
      settle();
    };
  };
}
