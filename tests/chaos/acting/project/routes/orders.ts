import { crud } from "warren/crud";
import { order } from "../src/domain/order";

export default crud(order);
