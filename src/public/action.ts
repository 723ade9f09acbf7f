export { type ActionContext, type ActionOptions, action } from "../crud/action";
export { Conflict } from "../schema/refused-change";
