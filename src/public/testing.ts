export { type TestRequests, type TestService, testService } from "../app/test-app";
export {
  buildEvent,
  buildEventOf,
  type Outcome,
  type TestConsumer,
  type TestDelivery,
  type TestSettings,
  testConsumer,
} from "../consumer/test-consumer";
