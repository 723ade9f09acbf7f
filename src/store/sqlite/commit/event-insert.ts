/** The only statement that adds an event to the log. The batch writer knows it, to tell the positions of new events. */
export const eventInsert = `INSERT INTO events (id, type, subject, timestamp, body, traceparent, requestId, requestedAt, owner, scope, cause)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
