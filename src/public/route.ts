export { jsonBody } from "../http/json-body";
export { HttpProblem, Problem } from "../http/problem";
export { type Dependencies, defineRoute, type Route } from "../routing/route";
export { StoreUnavailable } from "../store/errors";
