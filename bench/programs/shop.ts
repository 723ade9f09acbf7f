// An API with three resources: projects, tickets without and tickets with a unique value, a reference and a rule.
// `DATABASE_URL=sqlite:… bun bench/programs/shop.ts`
import { crud } from "warren/crud";
import type { Resource } from "warren/resource";
import packageJson from "../../package.json";
import { startExecutable } from "../../src/executable";
import { keyed, plain, project } from "../shop";

const resources = { plain, keyed, project } as const;
const routes = Object.values<Resource>(resources).map((resource) => ({
  file: `${resource.plural}.ts`,
  path: `/${resource.plural}`,
  route: crud(resource),
}));
await startExecutable({ packageJson, resources, routes, consumers: [], consumerFiles: {} });
