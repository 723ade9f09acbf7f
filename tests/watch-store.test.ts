// A consumer that has nothing to do notices that its database is away, and that it is back.
import { expect, test } from "bun:test";
import { StoreTrouble } from "../src/delivery/store-trouble";
import { watchStore } from "../src/delivery/watch-store";
import { StoreUnavailable } from "../src/store/errors";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";

test("an idle consumer says that its database cannot be reached, once, until it can", async () => {
  const { log, at } = recordedLog();
  const storeTrouble = new StoreTrouble();
  let [error, looks]: [Error | undefined, number] = [undefined, 0];
  const inbox = {
    has: async () => {
      looks += 1;
      if (error) throw error;
      return false;
    },
  };
  const end = watchStore({ queue: "ledger", log, storeTrouble }, async () => ({ inbox }) as never, 1);
  const again = async () => {
    const before = looks;
    await eventually(() => looks > before + 2 || undefined, "more looks");
  };
  try {
    await again();
    expect(storeTrouble.why).toBeUndefined();
    error = new StoreUnavailable("The database cannot be reached");
    await again();
    expect([storeTrouble.why, at("warn").length]).toEqual(["The database cannot be reached", 1]);
    error = new Error("a lock");
    storeTrouble.end();
    await again();
    expect([storeTrouble.why, at("warn").length]).toEqual([undefined, 1]);
    storeTrouble.begin("The database cannot be reached");
    error = undefined;
    await again();
    expect(storeTrouble.why).toBeUndefined();
  } finally {
    end();
  }
});
