// Commits what a handler changes without the note that it has done its event.
import { IdempotencyKeys } from "../../../src/store/changes/idempotency-keys";

const { answer } = IdempotencyKeys.prototype;
IdempotencyKeys.prototype.answer = function <Answer extends string | undefined>(once: Parameters<typeof answer>[0], make: () => Answer) {
  return once.key.startsWith("note ") ? make() : (answer.call(this, once, make) as Answer);
};
