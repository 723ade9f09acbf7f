import { painter } from "./text";

/** Colours text on a terminal. In a pipe, and with NO_COLOR, it leaves the text as it is. */
export const paint = painter(process.stdout.isTTY && Bun.enableANSIColors);

/** Width of the terminal when the command began. Undefined in a pipe: lines are not broken there. */
export const width = process.stdout.isTTY ? process.stdout.columns : undefined;
