// Loaded by `bun run dev` into each program that it starts: ends the program if `bun run dev` itself was killed.
import { channel } from "node:process";

process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
// Listening must not keep a program alive that has ended its work.
channel?.unref();
