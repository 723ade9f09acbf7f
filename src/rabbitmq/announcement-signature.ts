import { isUtcTime } from "../schema/time";
import { type AnyAnnouncement, signedOriginOf } from "./announcement";
import type { Message } from "./connection";

/** Message header with the signature of the body. */
export const signatureHeader = "x-warren-signature";

/** Maximum age of an announcement. It may wait for an unavailable API, but the limit stops replays of old copies. */
const longestWaitMs = 7 * 24 * 3_600_000;
/** Maximum clock difference accepted between two machines. */
const clockSkewMs = 3_600_000;

/** Result of checking an announcement: the time it was signed, in milliseconds since 1970, or the reason it is not trusted. */
export type Proof = { readonly signedAt: number } | { readonly unsigned: string };

/** The text that is signed. A prefix keeps signatures of one kind distinct from other uses of the same key. */
export type Purpose = "announcement" | "report";

/** Signs the body of a message with HMAC-SHA-256. */
export function signatureOf(key: string, content: Uint8Array, purpose: Purpose = "announcement"): string {
  return `v1=${digestOf(key, content, purpose).toString("base64url")}`;
}

/** Checks the sender of an announcement, and that the announcement is neither too old nor sent by another RabbitMQ user than its author. */
export function proofOf({ properties, content }: Message, announcement: AnyAnnouncement, key: string | null, now: number): Proof {
  const signature: unknown = properties.headers?.[signatureHeader];
  if (typeof signature !== "string") return { unsigned: "it is not signed" };
  if (key === null || !isSignedWith(key, content, signature)) return { unsigned: "it is not signed with the key of this API" };
  const origin = signedOriginOf(announcement);
  if (!origin) return { unsigned: "it does not state its time and its user" };
  if (origin.user !== null && origin.user !== properties.userId) {
    return { unsigned: "it was signed by a RabbitMQ user other than its sender" };
  }
  const signedAt = isUtcTime(origin.issuedAt) ? Date.parse(origin.issuedAt) : Number.NaN;
  if (!(signedAt > now - longestWaitMs)) return { unsigned: "it is older than seven days" };
  if (signedAt > now + clockSkewMs) return { unsigned: "it comes from a clock that is more than an hour ahead" };
  return { signedAt };
}

/** Returns whether a signature is the one of a message. */
export function isSignedWith(key: string, content: Uint8Array, signature: string, purpose: Purpose = "announcement"): boolean {
  const given = Buffer.from(signature.replace(/^v1=/, ""), "base64url");
  const expected = digestOf(key, content, purpose);
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

function digestOf(key: string, content: Uint8Array, purpose: Purpose): Buffer {
  return new Bun.CryptoHasher("sha256", key).update(`warren.${purpose}.v1\n`).update(content).digest();
}
