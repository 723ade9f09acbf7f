import type { MessageOrigin } from "../../src/observe/tracing";

/** Origin of a message without a trace. */
export const origin: MessageOrigin = { system: "warren", destination: "test", temporary: false, id: undefined, traceparent: undefined };
