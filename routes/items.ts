import { item } from "../src/domain/item";
import { crud } from "../src/resource";

export default crud(item);
