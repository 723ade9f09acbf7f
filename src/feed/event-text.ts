import type { LogEntry } from "../store/log";

/** Returns an event as a server-sent event (WHATWG HTML, section 9.2). The position is its id. Type and body have no line breaks. */
export function eventText({ position, type, body }: LogEntry): string {
  return `id: ${position}\nevent: ${type}\ndata: ${body}\n\n`;
}

/** Returns a comment with the position of a stream. A client that reconnects continues from there. */
export function positionText(position: number): string {
  return `: still here\nid: ${position}\n\n`;
}

/** Returns the start of a stream: its position, and the delay before a client that lost it reconnects, in milliseconds. */
export function greetingText(position: number, retryMs: number): string {
  return `retry: ${retryMs}\nid: ${position}\n\n`;
}
