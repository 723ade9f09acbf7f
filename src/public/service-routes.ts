export { serviceRoutes } from "../app/service-routes";
