// Invariant 7: metrics are read when somebody scrapes; what goes wrong with them costs a metric, and nothing else.
import { afterEach, describe, expect, jest, test } from "bun:test";
import { Metrics } from "../src/observe/metrics";
import { Distribution } from "../src/observe/tally";
import { recordedLog } from "./support/recorded-log";
import { readScrape } from "./support/scrape";
import { settled } from "./support/settled";

function metricsAndLog() {
  const { log, lines } = recordedLog();
  return { metrics: new Metrics(log), lines };
}
const one = (name: string, value = 1) => ({ name, help: "One.", read: () => [[{}, value] as const] });

describe("a scrape", () => {
  test("shows the current values, with their labels", async () => {
    const { metrics } = metricsAndLog();
    const counts = new Map([['a "b"\\c\nd', 1]]);
    metrics.counter({
      name: "events_total",
      help: "Events.",
      read: () => [...counts].map(([queue, count]) => [{ queue }, count] as const),
    });
    counts.set("audit", 41);
    expect(await metrics.render()).toBe(
      '# HELP events_total Events.\n# TYPE events_total counter\nevents_total{queue="a \\"b\\"\\\\c\\nd"} 1\nevents_total{queue="audit"} 41\n',
    );
    counts.set("audit", 42);
    expect(readScrape(await metrics.render()).value("events_total", { queue: "audit" })).toBe(42);
  });

  test("shows a histogram: each bucket has those below, too", async () => {
    const { metrics } = metricsAndLog();
    const seconds = new Distribution([0.5, 1]);
    for (const value of [0, 0.5, 0.50001, 1, 7]) seconds.record(value);
    metrics.histogram({ name: "work_seconds", help: "Work.", read: () => [[{ queue: "audit" }, seconds]] });
    const scrape = readScrape(await metrics.render());
    const bucket = (le: string) => scrape.value("work_seconds_bucket", { queue: "audit", le });
    expect([bucket("0.5"), bucket("1"), bucket("+Inf")]).toEqual([2, 4, 5]);
    expect(scrape.value("work_seconds_count")).toBe(5);
    expect(scrape.value("work_seconds_sum")).toBeCloseTo(9.00001);
  });

  test("shows what a number can be, and a help of several lines", async () => {
    const { metrics } = metricsAndLog();
    metrics.gauge({
      name: "limits",
      help: "A \\ and\na line.",
      read: () => [1e21, 0.1, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].map((value) => [{}, value] as const),
    });
    metrics.gauge(one("next"));
    expect((await metrics.render()).split("\n")).toEqual([
      ...["# HELP limits A \\\\ and\\na line.", "# TYPE limits gauge"],
      ...["limits 1e+21", "limits 0.1", "limits 0", "limits +Inf", "limits -Inf", "limits NaN"],
      ...["", "# HELP next One.", "# TYPE next gauge", "next 1", ""],
    ]);
  });

  test("leaves a metric without a sample out, instead of saying 0", async () => {
    const { metrics } = metricsAndLog();
    metrics.gauge({ name: "unknown", help: "Unknown.", read: () => [] });
    expect(readScrape(await metrics.render()).value("unknown")).toBeUndefined();
  });

  test("shares its result with concurrent callers, and asks again for the next", async () => {
    const { metrics } = metricsAndLog();
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    metrics.beforeScrape(() => {
      asked += 1;
      return answer.promise;
    });
    metrics.gauge(one("here"));
    const scrapes = [metrics.render(), metrics.render(), metrics.render()];
    answer.resolve();
    const [first, ...others] = await Promise.all(scrapes);
    expect(others).toEqual([first as string, first as string]);
    expect(asked).toBe(1);
    await metrics.render();
    expect(asked).toBe(2);
  });
});

test("two metrics of one name are refused", () => {
  const { metrics } = metricsAndLog();
  metrics.gauge(one("here"));
  expect(() => metrics.counter(one("here"))).toThrow('A metric "here" already exists');
});

describe("what goes wrong", () => {
  afterEach(() => void jest.useRealTimers());

  test("omits only the failing metric, and is logged once until it works again", async () => {
    const { metrics, lines } = metricsAndLog();
    let broken = true;
    metrics.gauge({
      ...one("fragile"),
      read: function* () {
        yield [{}, 1];
        if (broken) throw new Error("the file is gone");
      },
    });
    metrics.gauge(one("sound"));
    metrics.beforeScrape(() => (broken ? Promise.reject(new Error("nobody answers")) : Promise.resolve()));
    for (const expected of [undefined, undefined, 1, undefined]) {
      broken = expected === undefined;
      const scrape = readScrape(await metrics.render());
      expect([scrape.value("fragile"), scrape.value("sound")]).toEqual([expected, 1]);
    }
    const said = ["nobody answers", "the file is gone"];
    expect(lines.map(({ error }) => error)).toEqual([...said, ...said]);
    expect(lines.every(({ level }) => level === "warn")).toBe(true);
  });

  test("a question that is never answered holds a scrape up for 2 s, and no longer", async () => {
    jest.useFakeTimers();
    const { metrics } = metricsAndLog();
    metrics.beforeScrape(() => new Promise(() => {}));
    metrics.gauge(one("sound"));
    let text: string | undefined;
    void metrics.render().then((rendered) => {
      text = rendered;
    });
    await settled();
    jest.advanceTimersByTime(1999);
    await settled();
    expect(text).toBeUndefined();
    jest.advanceTimersByTime(1);
    await settled();
    expect(text).toContain("sound 1");
  });
});
