// A client of the event stream, per WHATWG HTML, section 9.2.

export interface Received {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface EventReader {
  readonly response: Response;
  /** Everything received so far, unparsed. */
  readonly text: string;
  /** Event ID that a reconnecting client sends. */
  readonly lastEventId: string;
  /** Resolves with the next event; undefined if the stream has ended or was cut. */
  next(): Promise<Received | undefined>;
  /** Resolves with the next events. Fails if the stream ends first. */
  take(count: number): Promise<Received[]>;
  leave(): Promise<void>;
}

export async function openEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  if (!response.body || response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const waiting: Received[] = [];
  let text = "";
  /** Received text that is not a complete event yet. */
  let rest = "";
  let lastEventId = "";

  function parse(): void {
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      let event = "";
      let data: string | undefined;
      for (const line of block.split("\n")) {
        const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
        if (field === "id") lastEventId = value ?? "";
        if (field === "event") event = value ?? "";
        if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
      }
      if (data !== undefined) waiting.push({ id: lastEventId, event, data });
    }
  }
  async function next(): Promise<Received | undefined> {
    while (waiting.length === 0) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done) return undefined;
      const piece = decoder.decode(value, { stream: true });
      text += piece;
      rest += piece;
      parse();
    }
    return waiting.shift();
  }
  return {
    response,
    get text() {
      return text;
    },
    get lastEventId() {
      return lastEventId;
    },
    next,
    async take(count) {
      const taken: Received[] = [];
      while (taken.length < count) {
        const event = await next();
        if (!event) throw new Error(`The stream ended after ${taken.length} of ${count} events.`);
        taken.push(event);
      }
      return taken;
    },
    async leave() {
      abort.abort();
      await reader.cancel().catch(() => {});
    },
  };
}
