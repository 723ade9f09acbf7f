// Reads events, one JSON document per line, and prints how this process judges each. The arguments are the modules to load before the
// resources and after them.
import { type Parsed, parseEvent } from "../../src/schema/event";

const [before = "", after = ""] = process.argv.slice(2);
for (const module of before.split(",").filter(Boolean)) await import(module);
const { tickets } = await import("./ticket");
for (const module of after.split(",").filter(Boolean)) await import(module);

const verdict = (parsed: Parsed) => (parsed.ok ? "valid" : `${parsed.reason}: ${parsed.detail}`);
for (const line of (await Bun.stdin.text()).trim().split("\n")) console.log(verdict(parseEvent(line, tickets)));
