import type { ComparedValue } from "../../compared-values";

// A sortable is a text whose order in the C collation, which is that of code points, is the order of what it was made from. It has neither
// U+0000, which PostgreSQL refuses, nor U+0001 below, except for its end.

/** Text with more bytes of UTF-8 is cut. Text to sort by is shorter: it has at most 200 characters. */
const longestText = 800;
/** Number of bytes that are kept of a longer text. */
const keptText = 456;
/** Ends each part of a key. No part contains it or a lower character. */
const end = "\u0001";
/** Begins the escaped form of U+0000, U+0001 and itself. */
const escapeMark = "\u0002";
/** Begins the hash of a text that was cut. */
const cutMark = `${escapeMark}\u0006`;
/** Length of a hash in characters: 132 bits. */
const hashLength = 22;
/** Stands for the byte 0 in a part in descending order. */
const lastInverted = 0x101;
/** Ends each part of a key in descending order. No part contains it or a higher character. */
const endDescending = "\u0102";

/** The lower limit of all parts that are not null. In descending order, it is their upper limit. */
export const notNull = { ascending: escapeMark, descending: endDescending } as const;

/**
 * Returns the sortable of a value, as a part of a key. Equal values have equal parts, and different values different ones. Text of more than
 * 800 bytes is cut and ends with a hash: such texts are in order only as far as they differ in their first 456 bytes.
 */
export function partOf(value: ComparedValue, descending: boolean): string {
  const sortable = sortableOf(value);
  return descending ? inverted(sortable) + endDescending : sortable + end;
}

/** Returns what the parts of all texts with a prefix begin with, and whether no other parts begin with it. */
export function partsWith(prefix: string, descending: boolean): { readonly start: string; readonly isWhole: boolean } {
  const text = `s${escaped(prefix)}`;
  const start = firstBytes(text, keptText);
  return { start: descending ? inverted(start) : start, isWhole: start === text };
}

/** Returns the least text that is greater than all texts that begin with this one, which is not empty. */
export function afterAll(start: string): string {
  const points = Array.from(start, (point) => point.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop() ?? 0;
  // Skip the surrogates, which are not characters.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}

/** Returns as many of the first characters as fit into a number of bytes of UTF-8. */
export function firstBytes(text: string, most: number): string {
  if (text.length * 3 <= most) return text;
  const bytes = Buffer.from(text);
  let length = Math.min(most, bytes.length);
  // Not within a character or an escaped one.
  while (length < bytes.length && ((bytes[length] as number) & 0xc0) === 0x80) length -= 1;
  if (length < bytes.length && bytes[length - 1] === 2) length -= 1;
  return bytes.toString("utf8", 0, length);
}

/** Returns a text that was cut to its first bytes, with a hash of the whole. */
export function cut(text: string, kept: number): string {
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("base64url").slice(0, hashLength);
  return firstBytes(text, kept) + cutMark + hash;
}

function sortableOf(value: ComparedValue): string {
  if (value === null) return "";
  if (typeof value === "number") return `n${sortableNumber(value)}`;
  const text = `s${escaped(value)}`;
  return text.length * 3 > longestText && Buffer.byteLength(text) > longestText ? cut(text, keptText) : text;
}

function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped.
  return text.toWellFormed().replace(/[\u0000-\u0002]/g, (found) => escapeMark + String.fromCharCode(found.charCodeAt(0) + 3));
}

const bytes = new DataView(new ArrayBuffer(8));

/** Returns the bits of a double (IEEE 754) in 16 hexadecimal digits: with the sign inverted, or all of a negative number. */
function sortableNumber(value: number): string {
  // Adding 0 makes 0 of -0.
  bytes.setFloat64(0, value + 0);
  const [high, low] = [bytes.getUint32(0), bytes.getUint32(4)];
  const isNegative = high >= 0x8000_0000;
  return hex(isNegative ? ~high >>> 0 : high + 0x8000_0000) + hex(isNegative ? ~low >>> 0 : low);
}

function hex(bits: number): string {
  return bits.toString(16).padStart(8, "0");
}

/** Returns a text whose order is the opposite one: with a character for each byte of UTF-8. */
function inverted(text: string): string {
  return String.fromCharCode(...Array.from(Buffer.from(text), (byte) => lastInverted - byte));
}
