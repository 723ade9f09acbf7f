export { answer as recordResponse, found as existing } from "../crud/parts";
export { conditionsOf, type RequestConditions } from "../crud/request-conditions";
export { jsonBody } from "../http/json-body";
export { HttpProblem, Problem } from "../http/problem";
export type { RequestStore } from "../http/request-store";
export { type Dependencies, defineRoute, type Route } from "../routing/route";
export { Conflict } from "../schema/refused-change";
export { RecordNotFound, StoreUnavailable, TransactionGaveUp } from "../store/errors";
export type { Transaction } from "../store/transaction/transaction";
