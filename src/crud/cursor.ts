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
export function writeCursor({ key, id }: Place, list: string): string {
  const place = Buffer.from(JSON.stringify([key, id]));
  return mark + Buffer.concat([checksum(place, list), place]).toString("base64url");
}

/** Decodes a cursor. Returns undefined if it is damaged, is for another list, or has a wrong checksum. */
export function readCursor(cursor: string, list: string): Place | undefined {
  const bytes = Buffer.from(cursor.slice(mark.length), "base64url");
  const place = bytes.subarray(checksumBytes);
  // Accept only the canonical form. Base64url has several forms of the same bytes, and the decoder skips invalid characters.
  if (mark + bytes.toString("base64url") !== cursor || !checksum(place, list).equals(bytes.subarray(0, checksumBytes))) return undefined;
  return placeFrom(place.toString());
}

function placeFrom(text: string): Place | undefined {
  try {
    const [key, id]: unknown[] = JSON.parse(text);
    if ((typeof key === "string" || Number.isSafeInteger(key)) && Number.isSafeInteger(id))
      return { key: key as Place["key"], id: id as number };
  } catch {
    // Not JSON, or not an array.
  }
  return undefined;
}

function checksum(place: Buffer, list: string): Buffer {
  return Bun.CryptoHasher.hash("sha256", Buffer.concat([Buffer.from(`${list}\n`), place])).subarray(0, checksumBytes);
}
