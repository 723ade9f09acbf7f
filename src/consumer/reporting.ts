import { hostname } from "node:os";
import { type ConsumerReport, type Reporting, reportEveryMs, reportOf, stopped } from "../delivery/consumer-report";
import { type Log, messageOf } from "../observe/logging";
import { timestamp } from "../timing/clock";
import { atMost } from "../timing/pause";

/** Time after which a consumer reports although nothing has changed, in milliseconds. */
const longestQuietMs = 15_000;
/** Maximum time to wait for the last report, in milliseconds. */
const farewellMs = 500;

/**
 * Sends what a consumer says about itself at intervals, if something has changed. A report that cannot be sent is left out.
 *
 * @returns ends the reports with one that says so.
 */
export function keepReporting(
  running: Reporting,
  send: (report: ConsumerReport) => Promise<void>,
  log: Log,
  everyMs = reportEveryMs,
): () => Promise<void> {
  const reporter = { id: crypto.randomUUID(), host: hostname(), pid: process.pid, startedAt: timestamp() };
  let sent = "";
  let sentAt = Number.NEGATIVE_INFINITY;
  let isSending = false;
  const timer = setInterval(async () => {
    const report = reportOf(reporter, running);
    const content = JSON.stringify({ ...report, at: "" });
    // One that only stands by says nothing.
    if (isSending || report.stage === "standing by") return;
    if (content === sent && performance.now() - sentAt < longestQuietMs) return;
    isSending = true;
    try {
      await send(report);
      sent = content;
      sentAt = performance.now();
    } catch (error) {
      log.debug({ queue: report.queue, error: messageOf(error) }, "Cannot report to the API");
    }
    isSending = false;
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if (sent === "") return;
    const last = send({ ...reportOf(reporter, running), stage: stopped });
    await atMost(farewellMs, last).catch(() => {});
  };
}
