import { plant } from "./plant";

plant("broker/publisher.ts", ["{ ...options, mandatory: true }", "options"]);
