import type { Place } from "../store/listing";

/** Also tells a cursor from a number, which is an id. */
const mark = "c";
const checksumBytes = 8;

/**
 * A place in a list as a client carries it: opaque, and good only for the list that it was made for. It is no secret, and
 * whoever forges one gets nothing that the list would not show.
 *
 * @param list says which list it is: the resource, the order, the filters.
 */
export function writeCursor({ key, id }: Place, list: string): string {
  const place = Buffer.from(JSON.stringify([key, id]));
  return mark + Buffer.concat([checksum(place, list), place]).toString("base64url");
}

/** Undefined: it is damaged, or of another list, or forged by somebody who does not know what is in one. */
export function readCursor(cursor: string, list: string): Place | undefined {
  const bytes = Buffer.from(cursor.slice(mark.length), "base64url");
  const place = bytes.subarray(checksumBytes);
  // In one form only: base64url has more, and JavaScript reads around what is none.
  if (mark + bytes.toString("base64url") !== cursor || !checksum(place, list).equals(bytes.subarray(0, checksumBytes))) return undefined;
  return placeFrom(place.toString());
}

function placeFrom(text: string): Place | undefined {
  try {
    const [key, id]: unknown[] = JSON.parse(text);
    if ((typeof key === "string" || Number.isSafeInteger(key)) && Number.isSafeInteger(id))
      return { key: key as Place["key"], id: id as number };
  } catch {
    // No JSON, or nothing to take apart.
  }
  return undefined;
}

function checksum(place: Buffer, list: string): Buffer {
  return Bun.CryptoHasher.hash("sha256", Buffer.concat([Buffer.from(`${list}\n`), place])).subarray(0, checksumBytes);
}
