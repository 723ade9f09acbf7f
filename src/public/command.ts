export { readTables } from "../consumer/read-tables";
export { parseOptions, runCommand, UsageError, wholeNumber } from "../observe/command-line";
export { messageOf } from "../observe/logging";
export { type Difference, differences } from "../schema/difference";
