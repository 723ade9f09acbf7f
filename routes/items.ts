import { item } from "../src/domain/item";
import { crud } from "../src/crud/crud";

export default crud(item);
