// Publishes the event of a schedule without the key by which it is known that its time has one.
import { IdempotencyKeys } from "../../../src/store/changes/idempotency-keys";

const { answer } = IdempotencyKeys.prototype;
IdempotencyKeys.prototype.answer = function <Answer extends string | undefined>(once: Parameters<typeof answer>[0], make: () => Answer) {
  return once.key.startsWith("tick ") ? make() : (answer.call(this, once, make) as Answer);
};
