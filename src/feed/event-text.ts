import type { LogEntry } from "../store/log";

/** An event as a server-sent event (WHATWG HTML, section 9.2): the position is its id, and its type and body are JSON without line breaks. */
export function eventText({ position, type, body }: LogEntry): string {
  return `id: ${position}\nevent: ${type}\ndata: ${body}\n\n`;
}

/** No event, but where the stream stands: a client that comes again goes on from there. */
export function positionText(position: number): string {
  return `: still here\nid: ${position}\n\n`;
}

/** The begin of a stream: where it stands, and after how long a client that has lost it comes again. */
export function greetingText(position: number, retryMs: number): string {
  return `retry: ${retryMs}\nid: ${position}\n\n`;
}
