import { plant } from "./plant";

plant(
  "delivery/rabbit-consumer.ts",
  ["    unsettled.add(message);\n", "    channel.ack(message);\n"],
  ["      if (!closed.aborted) channel.ack(message);\n", "      if (!closed.aborted) return;\n"],
);
