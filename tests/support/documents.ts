// The API's documents, with resources that a project might add: several versions, custom events, nested objects.
import { join } from "node:path";
import type { AppOptions } from "../../src/app/app";
import { crud } from "../../src/crud/crud";
import { item } from "../../src/domain/item";
import { loadRoutes } from "../../src/routing/router";
import { Catalogue } from "../../src/schema/catalogue";
import { openApi } from "./api";
import { root } from "./processes";
import { order } from "./resources";
import { parcel } from "./versioned";

export const catalogue = new Catalogue([item, order, parcel]);

/** Configurations in which the documents differ. */
export const configurations: readonly [string, Partial<AppOptions["config"]>][] = [
  ["on this machine only", { allowedHosts: [] }],
  ["with tokens and a rate limit", { apiTokens: [{ scope: "admin", token: "a-secret-for-tests" }], rateLimit: 100 }],
];

/** Returns a document of an API with every route. */
export async function documentAt(path: "/swagger/json" | "/asyncapi.json", config: Partial<AppOptions["config"]> = {}): Promise<string> {
  const routes = [
    ...(await loadRoutes(join(root, "routes"))),
    { file: "orders.ts", path: "/orders", route: crud(order) },
    { file: "parcels.ts", path: "/parcels", route: crud(parcel) },
  ];
  const api = openApi({ routes, resources: catalogue.resources, config });
  const { status, text } = await api.send("GET", path, undefined, { host: "localhost" });
  await api.close();
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
  return text;
}
