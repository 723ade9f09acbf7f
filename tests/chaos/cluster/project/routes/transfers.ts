import { crud } from "warren/crud";
import { transfer } from "../src/domain/transfer";

export default crud(transfer);
