import { plant } from "./plant";

plant("rabbitmq/publisher.ts", ["{ ...options, mandatory: true }", "options"]);
