import { setDefaultTimeout } from "bun:test";

// Real brokers and processes take their time on a busy machine; a test that hangs still ends.
setDefaultTimeout(60_000);
