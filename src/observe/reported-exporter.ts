import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { type Log, messageOf } from "./logging";

/** An exporter that logs its failures, once per outage. */
export class ReportedExporter implements SpanExporter {
  #failing = false;

  constructor(
    readonly exporter: SpanExporter,
    readonly endpoint: string,
    readonly log: Log,
  ) {}

  /** Returns whether the last export failed. */
  get failing(): boolean {
    return this.#failing;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.#report(result);
      done(result);
    });
  }

  #report({ code, error }: ExportResult): void {
    const { endpoint, log } = this;
    const failing = code === ExportResultCode.FAILED;
    if (failing && !this.#failing)
      log.warn({ endpoint, error: messageOf(error) }, "Cannot send traces to the collector; everything else works without it");
    if (!failing && this.#failing) log.info({ endpoint }, "Sending traces to the collector again");
    this.#failing = failing;
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}
