/** A unit of work in a trace. */
export interface Span {
  /** W3C trace context for child spans; null without tracing. */
  readonly traceparent: string | null;
  /** Runs `work` with this span as OpenTelemetry's active one. */
  run<T>(work: () => T): T;
  /** Ends the span. Further calls have no effect. A span that is never ended is never sent. */
  end(trouble?: SpanTrouble, attributes?: Readonly<Record<string, string | number>>): void;
}

/** Reason that a unit of work failed. */
export interface SpanTrouble {
  /** A low-cardinality value, such as the name of an error's class. */
  readonly type: string;
  readonly message?: string;
  readonly stack?: string | null;
}

export interface ServerSpan extends Span {
  /** Ends the span with the response. */
  respond(method: string, status: number, route: string | undefined, requestId: string | null): void;
}

/** A message being published to the broker. */
export interface SentMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly options: { readonly messageId: string; readonly headers?: Readonly<Record<string, unknown>> };
}

/** Source of a handled message. */
export interface MessageOrigin {
  readonly system: "rabbitmq" | "warren";
  /** Destination name per the semantic conventions of this system. */
  readonly destination: string;
  readonly temporary: boolean;
  readonly id: string | undefined;
  readonly traceparent: string | undefined;
}

/** A message passed to a handler. `event` is set if the message could be parsed. */
export interface HandledMessage {
  readonly delivery: { readonly failures: number; readonly replay: string; readonly origin: MessageOrigin };
  readonly event?: { readonly id: string; readonly type: string };
}

/**
 * Creates spans for the program's work. The spans follow OpenTelemetry's semantic conventions for HTTP and messaging. Each event in the log
 * has a Create span, whose context travels with the event. The spans for sending and processing are its children and have links to it.
 */
export interface Tracing {
  /** Starts a span for an HTTP request. Returns undefined for a request that is not traced. The method is missing if tracing is off. */
  readonly request?: (request: Request) => ServerSpan | undefined;
  /** Starts a span for writing an event to the log. It ends with the commit. */
  create(event: { readonly id: string; readonly type: string }, parent: string | undefined): Span;
  /** Starts a span for publishing a message. It ends with the broker's confirm. */
  send(message: SentMessage): Span;
  /** Starts a span for one attempt to handle a message or a batch. */
  process(messages: readonly HandledMessage[]): Span;
  /** Sends the remaining spans. Delays the exit of the process by one second at most. */
  stop(): Promise<void>;
}

export const noSpan: Span = { traceparent: null, run: (work) => work(), end() {} };

/** Tracing that is off: creates no spans and loads no SDK. */
export const noTracing: Tracing = {
  create: () => noSpan,
  send: () => noSpan,
  process: () => noSpan,
  stop: async () => {},
};
