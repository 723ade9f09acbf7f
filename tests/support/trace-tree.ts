// Spans as the trees that they are.

/** A span, however it was received. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As OTLP numbers it, by name: `server`, `client`, `producer`, `consumer`, `internal`. */
  readonly kind: string;
  readonly service: string;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Ids of the spans that it is linked to. */
  readonly links: readonly string[];
}

/** A span with those under it: its name, and its outcome where it has one. */
export type Tree = string | [string, ...Tree[]];

/** The trees of a trace. A span whose parent is not among them is a root. Siblings are in the order of their labels. */
export function treesOf(spans: readonly SeenSpan[], traceId: string): Tree[] {
  const own = spans.filter((span) => span.traceId === traceId);
  const under = (parent: SeenSpan | undefined): Tree[] =>
    own
      .filter((span) => (parent ? span.parentSpanId === parent.spanId : !own.some((other) => other.spanId === span.parentSpanId)))
      .map((span): Tree => {
        const children = under(span);
        return children.length > 0 ? [labelOf(span), ...children] : labelOf(span);
      })
      .sort((a, b) => (String(a) < String(b) ? -1 : 1));
  return under(undefined);
}

function labelOf({ name, attributes }: SeenSpan): string {
  const outcome = attributes["warren.outcome"];
  const attempt = attributes["warren.attempt"];
  return outcome === undefined ? name : `${name}: ${attempt === undefined ? "" : `${attempt} `}${outcome}`;
}
