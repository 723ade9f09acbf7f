import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";

/** What a consumer tells the service about its queue. */
export const Announcement = Type.Object({
  queue: Type.String(),
  types: Type.Array(Type.String()),
  /** ISO 8601 where it is neither of the words. */
  startFrom: Type.String(),
});
export type Announcement = Static<typeof Announcement>;

/** What a consumer tells the service when events begin to wait for a retry: nobody can ask RabbitMQ where they do. */
export const RetryAnnouncement = Type.Object({
  queue: Type.String(),
  /** At most a day. */
  retryDelayMs: Type.Integer({ minimum: 1, maximum: 86_400_000 }),
});
export type RetryAnnouncement = Static<typeof RetryAnnouncement>;

/** What `bun run queues remove` tells the service: nobody wants this queue any more. */
export const Removal = Type.Object({ remove: Type.String() });
export type Removal = Static<typeof Removal>;

/** What `bun run replay --cancel` tells the service. */
export const Cancellation = Type.Object({ cancel: Type.String({ maxLength: 40 }) });
export type Cancellation = Static<typeof Cancellation>;

export type AnyAnnouncement = Announcement | RetryAnnouncement | Removal | Cancellation;

/** What a signed announcement says besides. */
const Origin = Type.Object({
  /** When it was made, ISO 8601 in UTC. */
  issuedAt: Type.String(),
  /** The user of RabbitMQ who sends it, who also stands in the message, where RabbitMQ checks it. Null: it could not be told. */
  user: Type.Union([Type.String(), Type.Null()]),
});
export type Origin = Static<typeof Origin>;

const check = TypeCompiler.Compile(Type.Union([Announcement, RetryAnnouncement, Removal, Cancellation]));
const checkOrigin = TypeCompiler.Compile(Origin);

/** A longer one is not read. */
export const longestAnnouncement = 64 * 1024;

/** Returns undefined for anything that is not an announcement. */
export function parseAnnouncement(content: Uint8Array): AnyAnnouncement | undefined {
  if (content.length > longestAnnouncement) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content));
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns undefined for an announcement that does not say where it comes from. */
export function signedOriginOf(announcement: AnyAnnouncement): Origin | undefined {
  return checkOrigin.Check(announcement) ? announcement : undefined;
}
