import { crud } from "warren/crud";
import { item } from "../src/domain/item";

export default crud(item);
