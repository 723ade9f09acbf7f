// Whatever happens to a consumer, in whatever order: nothing is lost, and nothing is done twice that need not be. More stories are in the deep suite.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "./support/delivery-stories";

setDefaultTimeout(120_000);

test("without a broker, a consumer does as the model says", () => tellStories({ runs: 10, commands: 30, limitMs: 90_000 }));
