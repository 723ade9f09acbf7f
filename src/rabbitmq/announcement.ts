import { type Static, Type } from "@sinclair/typebox";
import { checkOf } from "../schema/check";

/** Message in which a consumer describes its queue to the API. */
export const Announcement = Type.Object({
  queue: Type.String(),
  types: Type.Array(Type.String()),
  /** `now`, `beginning`, or a UTC time per RFC 3339. */
  startFrom: Type.String(),
});
export type Announcement = Static<typeof Announcement>;

/** Message that a consumer sends when events begin to wait for a retry: AMQP cannot list the queues in which they wait. */
export const RetryAnnouncement = Type.Object({
  queue: Type.String(),
  /** Delay before the retry, in milliseconds; at most a day. */
  retryDelayMs: Type.Integer({ minimum: 1, maximum: 86_400_000 }),
});
export type RetryAnnouncement = Static<typeof RetryAnnouncement>;

/** Message in which `bun run queues remove` tells the API that a queue is no longer wanted. */
export const RemovalAnnouncement = Type.Object({ remove: Type.String() });
export type RemovalAnnouncement = Static<typeof RemovalAnnouncement>;

/** Message in which `bun run queues convert` asks the API to make a quorum queue of a classic one. */
export const ConversionRequest = Type.Object({ convert: Type.String() });
export type ConversionRequest = Static<typeof ConversionRequest>;

/** Message in which `bun run replay --cancel` asks the API to cancel a replay. */
export const Cancellation = Type.Object({ cancel: Type.String({ maxLength: 40 }) });
export type Cancellation = Static<typeof Cancellation>;

export type AnyAnnouncement = Announcement | RetryAnnouncement | RemovalAnnouncement | ConversionRequest | Cancellation;

/** Additional fields of a signed announcement. */
const Origin = Type.Object({
  /** Time of the announcement, ISO 8601 in UTC. */
  issuedAt: Type.String(),
  /** RabbitMQ user of the sender, also set as the message's user ID, which RabbitMQ checks. Null if the sender does not know it. */
  user: Type.Union([Type.String(), Type.Null()]),
});
export type Origin = Static<typeof Origin>;

const Known = Type.Union([Announcement, RetryAnnouncement, RemovalAnnouncement, ConversionRequest, Cancellation]);

/** Maximum length of an announcement, in bytes. Longer ones are refused unread. */
export const longestAnnouncement = 64 * 1024;

/** Returns undefined for anything that is not an announcement. */
export function parseAnnouncement(content: Uint8Array): AnyAnnouncement | undefined {
  if (content.length > longestAnnouncement) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content));
    return checkOf(Known).Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns undefined for an announcement without a time and a user. */
export function signedOriginOf(announcement: AnyAnnouncement): Origin | undefined {
  return checkOf(Origin).Check(announcement) ? announcement : undefined;
}
