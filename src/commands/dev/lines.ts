/** Splits the output of a program into lines. */
export class Lines {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** @param onLine called with each line, without its end. */
  constructor(readonly onLine: (line: string) => void) {}

  add(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    // A terminal ends lines with CR LF.
    for (const line of lines) this.onLine(line.replace(/\r$/, ""));
  }

  /** Passes on a last line that has no end. */
  end(): void {
    if (this.#rest !== "") this.onLine(this.#rest);
    this.#rest = "";
  }
}

const colours = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];

/** Marks lines with the name of the program that wrote them, so that several programs can share one output. */
export class Names {
  readonly #names: string[] = [];

  /** @param colour whether to colour the names. */
  constructor(readonly colour: boolean) {}

  add(name: string): void {
    if (!this.#names.includes(name)) this.#names.push(name);
  }

  /** Returns the line after the name. A line of JSON stays one, and gets the name as its field `program`. */
  mark(name: string, line: string): string {
    if (isJsonObject(line)) return `{"program":${JSON.stringify(name)}${line === "{}" ? "" : ","}${line.slice(1)}`;
    const padded = name.padEnd(Math.max(...this.#names.map(({ length }) => length)));
    if (!this.colour) return `${padded} | ${line}`;
    const paint = colours[this.#names.indexOf(name) % colours.length];
    // What a program leaves coloured ends with its line.
    return `\x1b[${paint}m${padded} |\x1b[0m ${line}${line.includes("\x1b") ? "\x1b[0m" : ""}`;
  }
}

function isJsonObject(line: string): boolean {
  if (!line.startsWith("{") || !line.endsWith("}")) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
