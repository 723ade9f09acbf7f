import { HttpProblem } from "../http/problem";

/** One JSON text of a bulk body. */
export interface JsonPiece {
  /** Number of the line, starting at 1, or index in the array, starting at 0. */
  readonly place: number;
  /** Bytes of the JSON text, or null if it is longer than allowed. */
  readonly bytes: Uint8Array | null;
}

/** Splits a body into pieces as it arrives. It buffers at most one piece. */
export interface Splitter {
  /** Adds a chunk of the body and returns the pieces that it completes. */
  push(chunk: Uint8Array): Iterable<JsonPiece>;
  /** Returns the pieces that remain when the body ends. */
  end(): Iterable<JsonPiece>;
}

/** Collects a piece that may span several chunks. */
class Collected {
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(readonly maxBytes: number) {}

  add(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length > this.maxBytes) this.#chunks = [];
    else if (chunk.length > 0) this.#chunks.push(chunk);
  }

  take(): Uint8Array | null {
    const bytes = this.#length > this.maxBytes ? null : this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    return bytes ?? null;
  }
}

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const [openArray, closeArray] = [0x5b, 0x5d];
const [openObject, closeObject] = [0x7b, 0x7d];
const isSpace = (byte: number) => byte === 0x20 || byte === 0x09 || byte === newline || byte === 0x0d;

/**
 * Splits newline-delimited JSON. Blank lines are counted, but are not pieces. The last line needs no newline.
 *
 * @throws {HttpProblem} 413, while splitting, if there are more than `maxLines` lines, blank ones included.
 */
export function splitLines(maxBytes: number, maxLines: number): Splitter {
  const line = new Collected(maxBytes);
  let place = 0;
  function* finished(): Generator<JsonPiece> {
    place += 1;
    if (place > maxLines) throw new HttpProblem(413, `A bulk request may have at most ${maxLines} lines, including blank ones.`);
    const bytes = line.take();
    if (!bytes?.every(isSpace)) yield { place, bytes };
  }
  return {
    *push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        line.add(chunk.subarray(start, end));
        yield* finished();
        start = end + 1;
      }
      line.add(chunk.subarray(start));
    },
    end: finished,
  };
}

/**
 * Splits a JSON array into its elements. It only looks for the end of each element and does not check the content.
 *
 * @throws {HttpProblem} 400, while splitting, if the body is not JSON, and 422 if it is not an array.
 */
export function splitArray(maxBytes: number): Splitter {
  const element = new Collected(maxBytes);
  let state: "before" | "inside" | "after" = "before";
  let index = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** True if the current element has begun. */
  let begun = false;

  function take(): JsonPiece {
    if (!begun) throw invalid();
    begun = false;
    const piece = { place: index, bytes: element.take() };
    index += 1;
    return piece;
  }

  return {
    *push(chunk) {
      let start = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at] as number;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === backslash) escaped = true;
          else if (byte === quote) inString = false;
        } else if (isSpace(byte)) continue;
        else if (state !== "inside") {
          if (state === "after") throw invalid();
          if (byte !== openArray) throw new HttpProblem(422, "The body is not valid.", [{ pointer: "", detail: "Expected an array." }]);
          state = "inside";
          start = at + 1;
        } else if (depth === 0 && (byte === comma || byte === closeArray)) {
          element.add(chunk.subarray(start, at));
          start = at + 1;
          if (byte === closeArray) state = "after";
          // An array may be empty, but a comma must follow an element.
          if (byte === comma || begun || index > 0) yield take();
        } else {
          begun = true;
          if (byte === quote) inString = true;
          else if (byte === openArray || byte === openObject) depth += 1;
          else if (byte === closeArray || byte === closeObject) depth -= 1;
          if (depth < 0) throw invalid();
        }
      }
      if (state === "inside") element.add(chunk.subarray(start));
    },
    end() {
      if (state !== "after") throw invalid();
      return [];
    },
  };
}

function invalid(): HttpProblem {
  return new HttpProblem(400, "The body is not valid JSON.");
}
