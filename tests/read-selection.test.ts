// The selection of a replay, in a request or on the command line.
import { describe, expect, test } from "bun:test";
import { InvalidSelection, type RequestedReplay, readSelection } from "../src/delivery/read-selection";
import { catalogue } from "./support/resources";

function mistakesIn(request: RequestedReplay): unknown {
  try {
    return readSelection(request, catalogue, "utc");
  } catch (error) {
    return error instanceof InvalidSelection ? error.mistakes.map(({ field, detail }) => `${field}: ${detail}`) : error;
  }
}

describe("the events to replay", () => {
  test("are all, unless something else is asked for", () => {
    const everything = { types: null, subject: null, from: null, to: null, rate: null, force: false };
    expect(readSelection({ queue: "audit" }, catalogue, "utc")).toEqual(everything);
  });

  test("are those of a pattern, a record and a time; a time without a zone is in the zone of the caller", () => {
    const request = { queue: "audit", id: 42, from: "2026-11-01T08:00:00", to: "2026-11-02", rate: 5, force: true };
    const selection = { types: catalogue.eventTypes.filter((type) => type.endsWith(".created")), subject: 42, rate: 5, force: true };
    const local = { from: new Date("2026-11-01T08:00:00").toISOString(), to: new Date("2026-11-02T00:00:00").toISOString() };
    const utc = { from: "2026-11-01T08:00:00.000Z", to: "2026-11-02T00:00:00.000Z" };
    const events = ["*.created"];
    expect(readSelection({ ...request, events }, catalogue, "utc")).toEqual({ ...selection, ...utc });
    expect(readSelection({ ...request, events }, catalogue, "local")).toEqual({ ...selection, ...local });
  });

  test("cannot be told from a request with mistakes, which are reported together", () => {
    expect(mistakesIn({ queue: "../audit", events: ["item.crated"], from: "2026-02-30", to: "soon" })).toEqual([
      expect.stringContaining('queue: "../audit" is not a valid queue name'),
      expect.stringContaining('events: Unknown event type "item.crated"'),
      "from: Expected a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z.",
      "to: Expected a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z.",
    ]);
    expect(mistakesIn({ queue: "audit", from: "2026-11-02", to: "2026-11-02" })).toEqual(["to: Expected a time after `from`."]);
  });
});
