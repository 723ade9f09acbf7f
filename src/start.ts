// `bun run start`: what `bun run build --start` has built, if it is current, or else the sources.
import { isPrepared, preparedProgram } from "./project/prepared-start";

if (isPrepared()) await import(preparedProgram);
else await import("./main");
