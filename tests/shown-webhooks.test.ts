// GET /status/webhooks: what the consumers of subscriptions report, and what is made of it.
import { expect, test } from "bun:test";
import { mostAnswers, parseReport, type Reporting, reportOf } from "../src/delivery/consumer-report";
import type { ReportedConsumer } from "../src/status/consumer-reports";
import { webhooksOf } from "../src/status/webhooks";
import { Answers } from "../src/webhook/answers";

const consumer = (about: Partial<ReportedConsumer>): ReportedConsumer => ({
  ...{ queue: "webhook.crm", host: "h", pid: 7, startedAt: "2026-02-18T18:00:00.000Z", at: "2026-02-18T18:00:05.000Z" },
  ...{ stage: "consuming", breaker: "closed", handled: 5, failed: 1, retried: 1, deadLettered: 0, duplicates: 0, skipped: 0 },
  ...{ handledPerSecond: 1, failedPerSecond: 0, handler: { p50: 0.1, p99: 0.2, count: 6 }, delay: null, lastError: null },
  ...about,
});
const answered = (second: number, status: number | null) => ({ at: `2026-02-18T18:00:0${second}.000Z`, status, ms: 4 });
const report = { url: "https://crm.example.com", answers: [answered(1, 204)], disabledSince: null };

test("subscriptions are the queues of webhooks, with or without a process", () => {
  const queues = [
    { queue: "webhook.crm", types: ["item.created"] },
    { queue: "stock", types: [] },
    { queue: "webhook.old", types: null },
  ];
  expect(webhooksOf(queues, [consumer({ webhook: report }), consumer({ queue: "stock" })])).toEqual([
    {
      ...{ name: "crm", queue: "webhook.crm", types: ["item.created"], state: "delivering", processes: 1, delivered: 5, failed: 1 },
      ...{ ...report, handler: { p50: 0.1, p99: 0.2, count: 6 }, lastError: null },
    },
    {
      ...{ name: "old", queue: "webhook.old", types: null, state: "stopped", processes: 0, delivered: 0, failed: 0 },
      ...{ url: null, answers: [], disabledSince: null, handler: null, lastError: null },
    },
  ]);
});

test("several processes are one subscription: their answers in order, the slowest, the newest error", () => {
  const error = (second: number) => ({ at: `2026-02-18T18:00:0${second}.000Z`, event: "e", error: `error ${second}` });
  const one = consumer({ webhook: { ...report, answers: [answered(1, 204), answered(3, 503)] }, lastError: error(3) });
  const other = consumer({
    ...{ pid: 8, webhook: { ...report, answers: [answered(2, null)] }, lastError: error(2) },
    ...{ handler: { p50: 0.1, p99: 3, count: 6 }, breaker: "open" },
  });
  const [shown] = webhooksOf([], [one, other]);
  expect(shown).toMatchObject({ state: "delivering", processes: 2, delivered: 10, failed: 2, handler: { p99: 3 }, lastError: error(3) });
  expect(shown?.answers.map(({ status }) => status)).toEqual([204, null, 503]);
});

test("it is disabled before it is paused", () => {
  const paused = consumer({ webhook: report, breaker: "open" });
  expect(webhooksOf([], [paused])[0]?.state).toBe("paused");
  const disabledSince = "2026-02-18T18:00:00.000Z";
  expect(webhooksOf([], [consumer({ breaker: "open", webhook: { ...report, disabledSince } })])[0]).toMatchObject({
    state: "disabled",
    disabledSince,
  });
});

test("a report has the last answers, also those that did not come", () => {
  const answers = new Answers();
  for (let n = 0; n < mostAnswers + 3; n += 1) {
    const attempt = answers.begin();
    if (n % 2 === 0) attempt.status(200 + n);
    attempt.end();
  }
  const tally = { counts: { handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 0 }, types: new Map(), lastError: null };
  const worker = { consumer: { queue: "webhook.crm" }, tally, breaker: { state: "closed" } } as unknown as Reporting["worker"];
  const reporter = { id: "a", host: "h", pid: 7, startedAt: "2026-02-18T18:00:00.000Z" };
  const webhook = () => ({ ...report, answers: answers.list() });
  const text = JSON.stringify(reportOf(reporter, { worker, stage: () => "consuming", webhook }));
  expect(parseReport(text)?.webhook?.answers.map(({ status }) => status)).toEqual([null, 204, null, 206, null, 208, null, 210, null, 212]);
  expect(parseReport(JSON.stringify(reportOf(reporter, { worker, stage: () => "consuming" })))).not.toHaveProperty("webhook");
});
