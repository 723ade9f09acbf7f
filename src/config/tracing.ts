import type { ReadText, ReadVariable } from "./variable";
import { parseWholeNumber } from "./whole-number";

/** Settings from OpenTelemetry's environment variables that the program has to read. Its SDK reads the others itself. */
export interface TracingConfig {
  /** URL of the collector. It may contain a password. */
  readonly endpoint: string;
  readonly sampler: (typeof samplers)[number];
  /** Share of traces that a `traceidratio` sampler records, from 0 to 1. */
  readonly ratio: number;
  /** Delay between two exports of spans, in milliseconds. */
  readonly scheduledDelayMillis: number;
  /** Maximum number of spans that wait for export. */
  readonly maxQueueSize: number;
}

/** Samplers per OpenTelemetry's specification of environment variables. */
const samplers = [
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  "always_on",
  "always_off",
  "traceidratio",
] as const;

const endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/**
 * Reads the tracing settings. Returns null if tracing is disabled or has no endpoint, without checking other variables of
 * OpenTelemetry.
 */
export function readTracing(read: ReadText, variable: ReadVariable): TracingConfig | null {
  const isOff = read("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || read("OTEL_TRACES_EXPORTER") === "none";
  const set = isOff ? [] : endpoints.filter(read);
  if (set.length === 0) return null;
  const [endpoint = ""] = set.map((name) =>
    variable(name, "", httpUrl, "use the URL of a collector that accepts OTLP over HTTP, such as http://localhost:4318"),
  );
  const number = (name: string, fallback: number, most: number, expected: string) =>
    variable(name, fallback, (text) => parseWholeNumber(text, 1, most), `use ${expected}, such as ${fallback}`);
  return {
    endpoint,
    sampler: variable("OTEL_TRACES_SAMPLER", samplers[0], samplerOf, `use one of ${samplers.join(", ")}`),
    ratio: variable("OTEL_TRACES_SAMPLER_ARG", 1, share, "use a ratio from 0 to 1, such as 0.1"),
    scheduledDelayMillis: number("OTEL_BSP_SCHEDULE_DELAY", 5000, 600_000, "milliseconds"),
    maxQueueSize: number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1_000_000, "a number of spans"),
  };
}

/** Returns the text if it is an http or https URL, else undefined. */
export function httpUrl(text: string): string | undefined {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "") ? text : undefined;
}

function samplerOf(text: string) {
  return samplers.find((known) => known === text);
}

function share(text: string): number | undefined {
  const value = /^(\d+|\d*\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  return value <= 1 ? value : undefined;
}
