// Arranges spans as trees.

/** A span, regardless of how it was received. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** Span kind by name: `server`, `client`, `producer`, `consumer`, `internal`. OTLP uses numbers. */
  readonly kind: string;
  readonly service: string;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** IDs of linked spans. */
  readonly links: readonly string[];
}

/** A span with its children: its name, and its outcome if it has one. */
export type Tree = string | [string, ...Tree[]];

/** Returns the trees of a trace. A span whose parent is missing is a root. Siblings are sorted by label. */
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
