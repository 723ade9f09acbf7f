import { cut } from "./table";

/** Text on a terminal that is redrawn in place. */
export class Screen {
  #lines = 0;

  constructor(readonly stream: Pick<NodeJS.WriteStream, "write" | "columns" | "rows">) {}

  /** Replaces the text. Cuts it to the terminal's size, since scrolling would move it away from its place. */
  draw(text: string): void {
    const { columns, rows } = this.stream;
    const lines = text
      .split("\n")
      .slice(0, Math.max(1, (rows || 24) - 1))
      .map((line) => cut(line, (columns || 80) - 1));
    const back = this.#lines > 0 ? `\x1b[${this.#lines}A` : "";
    this.stream.write(`${back}\r\x1b[J${lines.join("\n")}\n`);
    this.#lines = lines.length;
  }
}
