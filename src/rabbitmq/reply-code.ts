import { messageOf } from "../observe/logging";

/** Reply codes of AMQP 0-9-1 that Warren distinguishes. */
const contentTooLarge = 311;
/** An operator closed the connection, or the broker stops. */
const connectionForced = 320;
const accessRefused = 403;
const notFound = 404;
const resourceLocked = 405;
const preconditionFailed = 406;

/** RabbitMQ's words for what does not exist, which the reply code alone does not tell. */
const isMissing = /NOT_FOUND - no (queue|exchange) /;

/** Returns the reply code with which RabbitMQ closed a channel or connection. Returns undefined for any other error. */
function replyCodeOf(error: unknown): number | undefined {
  // A signal that aborts without an error has a `DOMException` as its reason, which has a code of its own.
  if (!(error instanceof Error) || error instanceof DOMException || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}

/** Returns whether RabbitMQ closed a channel or its connection because of something this process sent. */
export function isProtocolError(error: unknown): boolean {
  const code = replyCodeOf(error);
  return code !== undefined && code !== connectionForced;
}

/**
 * Returns whether RabbitMQ denies this user access to one queue, which retrying cannot change. Either permission is missing, or another
 * connection holds the queue exclusively.
 */
export function isAccessDenied(error: unknown): boolean {
  const code = replyCodeOf(error);
  return code === accessRefused || code === resourceLocked;
}

/** Returns whether a queue or exchange does not exist. */
export function isNotFound(error: unknown): boolean {
  return replyCodeOf(error) === notFound && isMissing.test(messageOf(error));
}

/**
 * Returns whether a queue exists but cannot be used now, since the node that holds it is down, or its process has crashed. The reply code is
 * that of a queue that does not exist.
 */
export function isQueueDown(error: unknown): boolean {
  return replyCodeOf(error) === notFound && !isMissing.test(messageOf(error));
}

/** Returns whether something exists with other arguments than those requested. */
export function isPreconditionFailed(error: unknown): boolean {
  return replyCodeOf(error) === preconditionFailed;
}

/**
 * Returns RabbitMQ's words if it closed this channel over the content of a message, for example one above `max_message_size`. Other codes
 * are about permissions, missing queues or RabbitMQ itself.
 */
export function contentRefusal(closed: AbortSignal): string | undefined {
  const code = closed.aborted ? replyCodeOf(closed.reason) : undefined;
  return code === contentTooLarge || code === preconditionFailed ? messageOf(closed.reason) : undefined;
}
