export { readTables } from "../consumer/read-tables";
export { messageOf } from "../observe/logging";
export { type Difference, differences } from "../schema/difference";
