import type { Scope } from "../config/api-access";
import { actorOf } from "../http/actor";
import type { Catalogue } from "../schema/catalogue";
import { Forbidden } from "../store/errors";

/**
 * Returns whether a request may see what concerns all tenants. If a resource has tenants, the tokens of an issuer may not: they never
 * see more than one tenant.
 */
export function isOperator({ resources }: Catalogue): (request: Request) => boolean {
  const hasTenants = resources.some(({ access }) => access.scope !== undefined);
  return (request) => !hasTenants || actorOf(request)?.claims === undefined;
}

/**
 * Returns a check for routes that show the records of all tenants, or work on them. It refuses whoever is not an operator.
 *
 * @param scope that the routes need, for the message. Default: `admin`.
 */
export function operatorsOnly(catalogue: Catalogue, scope: Scope = "admin"): (context: { readonly request: Request }) => void {
  const isOperating = isOperator(catalogue);
  return ({ request }) => {
    if (!isOperating(request))
      throw new Forbidden(`This works on the events of all tenants, so it needs one of the tokens in API_TOKEN with the scope "${scope}".`);
  };
}
