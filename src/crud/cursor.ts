import type { Place } from "../store/listing";

/** First character of every cursor. It distinguishes a cursor from an id, which is a number. */
const mark = "c";
const checksumBytes = 8;

/**
 * Encodes a place in a list as an opaque cursor for clients. The cursor is valid only for the list it was made for. It is
 * not secret: a forged cursor gives access to nothing that the list does not show.
 *
 * @param list identifies the list: the resource, the order and the filters.
 */
export function writeCursor({ keys, id }: Place, list: string): string {
  const place = Buffer.from(JSON.stringify([id, ...keys]));
  return mark + Buffer.concat([checksum(place, list), place]).toString("base64url");
}

/**
 * Decodes a cursor. Returns undefined if it is damaged, is for another list, or has a wrong checksum.
 *
 * @param length number of fields that the list is sorted by, without the id.
 */
export function readCursor(cursor: string, list: string, length: number): Place | undefined {
  const bytes = Buffer.from(cursor.slice(mark.length), "base64url");
  const place = bytes.subarray(checksumBytes);
  // Accept only the canonical form. Base64url has several forms of the same bytes, and the decoder skips invalid characters.
  if (mark + bytes.toString("base64url") !== cursor || !checksum(place, list).equals(bytes.subarray(0, checksumBytes))) return undefined;
  return placeFrom(place.toString(), length);
}

function placeFrom(text: string, length: number): Place | undefined {
  try {
    const [id, ...keys]: unknown[] = JSON.parse(text);
    if (typeof id === "number" && Number.isSafeInteger(id) && keys.length === length && keys.every(isKey)) return { keys, id };
  } catch {
    // Not JSON, or not an array.
  }
  return undefined;
}

function isKey(key: unknown): key is Place["keys"][number] {
  return key === null || typeof key === "string" || typeof key === "number";
}

function checksum(place: Buffer, list: string): Buffer {
  return Bun.CryptoHasher.hash("sha256", Buffer.concat([Buffer.from(`${list}\n`), place])).subarray(0, checksumBytes);
}
