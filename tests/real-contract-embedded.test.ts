import { describe, setDefaultTimeout } from "bun:test";
import { describeContract } from "./support/contract";

setDefaultTimeout(60_000);

describe("the embedded transport", () => describeContract({ rabbitmqUrl: () => "none", sharesQueues: false }));
