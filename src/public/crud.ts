export { crud } from "../crud/crud";
