export { localTime, printable } from "../observe/terminal";
