import { isUtcTime } from "../schema/time";
import { type AnyAnnouncement, signedOriginOf } from "./announcement";
import type { Message } from "./connection";

/** The header of a message that has the signature of its body. */
export const signatureHeader = "x-warren-signature";

/** An announcement may wait for an API that is away, but not for ever: who has copied it may send it again. */
const longestWaitMs = 7 * 24 * 3_600_000;
/** So much may the clocks of two machines differ. */
const clockSkewMs = 3_600_000;

/** Whether an announcement comes from somebody who has the key, and when it was made, in milliseconds since 1970. */
export type Proof = { readonly signedAt: number } | { readonly unsigned: string };

/** Signs the body of an announcement: with HMAC-SHA-256 over all of it, and with what else uses the same key kept apart. */
export function signatureOf(key: string, content: Uint8Array): string {
  return `v1=${digestOf(key, content).toString("base64url")}`;
}

/** Checks who sends an announcement, and that it is neither old nor somebody else's copy. */
export function proofOf({ properties, content }: Message, announcement: AnyAnnouncement, key: string | null, now: number): Proof {
  const signature: unknown = properties.headers?.[signatureHeader];
  if (typeof signature !== "string") return { unsigned: "it is not signed" };
  if (key === null || !isSignedWith(key, content, signature)) return { unsigned: "it is signed with another key than this API has" };
  const origin = signedOriginOf(announcement);
  if (!origin) return { unsigned: "it does not say when it was made, and by whom" };
  if (origin.user !== null && origin.user !== properties.userId) {
    return { unsigned: "it was made by another user of RabbitMQ than the one who sends it" };
  }
  const signedAt = isUtcTime(origin.issuedAt) ? Date.parse(origin.issuedAt) : Number.NaN;
  if (!(signedAt > now - longestWaitMs)) return { unsigned: "it is older than seven days" };
  if (signedAt > now + clockSkewMs) return { unsigned: "it comes from a clock that is more than an hour ahead" };
  return { signedAt };
}

function isSignedWith(key: string, content: Uint8Array, signature: string): boolean {
  const given = Buffer.from(signature.replace(/^v1=/, ""), "base64url");
  const expected = digestOf(key, content);
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

function digestOf(key: string, content: Uint8Array): Buffer {
  return new Bun.CryptoHasher("sha256", key).update("warren.announcement.v1\n").update(content).digest();
}
