export { builtInRoutes } from "../built-in/routes";
