import { plant } from "./plant";

// What is acknowledged waits in memory for its turn, as in a consumer that was written so.
plant(
  "rabbitmq/consume.ts",
  ["    unsettled.add(message);\n", '    acknowledgements.add(message, { action: "ack", result: "handled" });\n'],
  ["else worker.take(delivery);", "else setTimeout(() => worker.take(delivery), 50);"],
  ["      acknowledgements.add(message, outcome);\n", ""],
);
