// Acknowledges each message on arrival. It then waits in memory for its turn.
import { Worker } from "../../../src/delivery/worker";

const { take } = Worker.prototype;
Worker.prototype.take = function (delivery) {
  void delivery.settle({ action: "ack", result: "handled" });
  delivery.settle = () => {};
  setTimeout(() => take.call(this, delivery), 50);
};
