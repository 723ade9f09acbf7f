import { isPrepared, preparedProgram } from "./project/prepared-start";

if (isPrepared()) await import(preparedProgram);
else await (await import("./app/serve")).startApi();
