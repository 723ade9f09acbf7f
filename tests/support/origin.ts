import type { MessageOrigin } from "../../src/observe/tracing";

/** Of a message that belongs to no trace. */
export const origin: MessageOrigin = { system: "warren", destination: "test", temporary: false, id: undefined, traceparent: undefined };
