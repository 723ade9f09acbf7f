import { runConsumer } from "warren/consumer";

await runConsumer({
  queue: "daily-sales",
  schedule: "0 9 * * 1-5",
  timeZone: "Europe/London",
  handle: ({ schedule: { dueAt } }, { log }) => log.info({ dueAt }, "Time to count yesterday's sales"),
});
