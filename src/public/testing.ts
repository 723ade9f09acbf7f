export type { TestClock } from "../app/test/clock";
export type { TestRequests } from "../app/test/requests";
export { type TestService, type TestServiceOptions, testService } from "../app/test/system";
export {
  buildEvent,
  buildEventOf,
  buildTick,
  type Outcome,
  type TestConsumer,
  type TestDelivery,
  type TestSettings,
  testConsumer,
} from "../consumer/test-consumer";
