import { crud } from "warren/crud";
import { payment } from "../src/domain/payment";

export default crud(payment, { only: ["list", "read"] });
