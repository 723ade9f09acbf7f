import { plant } from "./plant";

plant("rabbitmq/relay.ts", ["      inFlight += 1;\n", "      inFlight += 1;\n      this.#advance(confirm());\n"]);
