import { actorOf } from "../http/actor";
import type { Catalogue } from "../schema/catalogue";
import { Forbidden } from "../store/errors";

/**
 * Returns a check for routes that show the records of all tenants, or work on them. If a resource has tenants, it refuses the tokens of
 * an issuer, which never see more than one tenant.
 */
export function operatorsOnly({ resources }: Catalogue): (context: { readonly request: Request }) => void {
  const hasTenants = resources.some(({ access }) => access.scope !== undefined);
  return ({ request }) => {
    if (hasTenants && actorOf(request)?.claims)
      throw new Forbidden('This works on the events of all tenants, so it needs one of the tokens in API_TOKEN with the scope "admin".');
  };
}
