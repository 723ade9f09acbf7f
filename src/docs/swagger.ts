import { Elysia } from "elysia";
import iconFile from "swagger-ui-dist/favicon-32x32.png" with { type: "file" };
import styleFile from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import scriptFile from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import packageJson from "../../package.json";
import type { Config } from "../config/config";
import { scopeFor } from "../http/access";
import { completeDocument, type DocumentedRoute, type Gate, type OpenApiDocument } from "./openapi";
import { document, file, text } from "./page-answers";

const page = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Warren API</title>
  <link rel="icon" href="/swagger/favicon.png">
  <link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/swagger/swagger-ui-bundle.js"></script>
  <script src="/swagger/start.js"></script>
</body>
</html>
`;

/** In a file of its own, so that the page's content security policy need not allow scripts in the page. */
const startScript = `SwaggerUIBundle({
  url: "/swagger/json",
  dom_id: "#swagger-ui",
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The token outlives a reload; it stays in this browser.
  persistAuthorization: true,
  // Else it would show the document to a service on the internet.
  validatorUrl: null,
});
`;

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The OpenAPI document of all routes at `/swagger/json`, and Swagger UI at `/swagger`. The plugin's own page would load
 * its script from a CDN; this one takes it from the package, so that it works with no internet.
 *
 * @param routes every route of the app; asked for once, at the first request.
 */
export function apiDocs(config: Pick<Config, "apiTokens" | "rateLimit">, routes: () => readonly DocumentedRoute[]) {
  const hidden = { detail: { hide: true } };
  return new Elysia({ name: "swagger-ui" })
    .get(
      "/swagger/json",
      document(() => openApiDocument(config, routes())),
      hidden,
    )
    .get("/swagger", text(page, "text/html", { "content-security-policy": contentSecurityPolicy }), hidden)
    .get("/swagger/start.js", text(startScript, "text/javascript"), hidden)
    .get("/swagger/swagger-ui-bundle.js", file(scriptFile, "text/javascript; charset=utf-8"), hidden)
    .get("/swagger/swagger-ui.css", file(styleFile, "text/css; charset=utf-8"), hidden)
    .get("/swagger/favicon.png", file(iconFile, "image/png"), hidden);
}

async function openApiDocument(
  { apiTokens, rateLimit }: Pick<Config, "apiTokens" | "rateLimit">,
  routes: readonly DocumentedRoute[],
): Promise<OpenApiDocument> {
  // Here and not above: it brings Zod along, and with it a tenth of the time that a start takes.
  const { swagger } = await import("@elysiajs/swagger");
  const withToken = apiTokens.length > 0;
  const plugin = swagger({
    provider: "swagger-ui",
    documentation: {
      // The plugin says 3.0.3, in which a type cannot be null.
      openapi: "3.1.0",
      info: {
        title: "Warren API",
        version: packageJson.version,
        description: "Every change to a resource is an event: `item.created`, `item.updated`, `item.deleted`. `/asyncapi` shows them all.",
      },
      ...(withToken && {
        components: { securitySchemes: { token: { type: "http", scheme: "bearer", description: "One of the tokens in API_TOKEN." } } },
        security: [{ token: [] }],
      }),
    } as NonNullable<Parameters<typeof swagger>[0]>["documentation"] & object,
  });
  // It draws the routes of the app that it is put into, and asks for them by this.
  Object.assign(plugin, { getGlobalRoutes: () => routes });
  const drawn = await plugin.handle(new Request("http://localhost/swagger/json"));
  const gate: Gate = { scopeFor: withToken ? scopeFor : null, limitsRate: rateLimit !== null };
  return completeDocument((await drawn.json()) as OpenApiDocument, routes, gate);
}
