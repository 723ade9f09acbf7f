export { startExecutable } from "../app/executable";
