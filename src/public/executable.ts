export { startExecutable } from "../executable";
