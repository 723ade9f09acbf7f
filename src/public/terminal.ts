export { localTime, printable, tell } from "../observe/terminal";
