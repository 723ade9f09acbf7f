// Whatever happens to a consumer, in whatever order: nothing is lost, and nothing is done twice that need not be.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "./support/delivery-stories";

setDefaultTimeout(120_000);

test("without a broker, a consumer does as the model says", () => tellStories({ runs: 50, commands: 30, limitMs: 90_000 }));
