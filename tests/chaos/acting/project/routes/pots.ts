import { crud } from "warren/crud";
import { pot } from "../src/domain/pot";

export default crud(pot);
