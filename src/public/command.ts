export { readTables } from "../consumer/read-tables";
export { refuseUsage } from "../observe/command-line";
export { messageOf } from "../observe/logging";
export { type Difference, differences } from "../schema/difference";
