import { crud } from "warren/crud";
import { account } from "../src/domain/account";

export default crud(account);
