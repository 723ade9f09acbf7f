import { plant } from "./plant";

// Acknowledged messages wait in memory for their turn, as in a consumer with this bug.
plant(
  "rabbitmq/consume.ts",
  ["    unsettled.add(message);\n", '    acknowledgements.add(message, { action: "ack", result: "handled" });\n'],
  ["else worker.take(delivery);", "else setTimeout(() => worker.take(delivery), 50);"],
  ["      acknowledgements.add(message, outcome);\n", ""],
);
