/// <reference path="../assets.d.ts" />
import { Elysia } from "elysia";
import iconFile from "swagger-ui-dist/favicon-32x32.png" with { type: "file" };
import styleFile from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import scriptFile from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { requiresToken } from "../config/api-access";
import type { Config } from "../config/config";
import { scopeFor } from "../http/access";
import { aboutProject } from "../project/about";
import type { Catalogue } from "../schema/catalogue";
import { completeDocument, type DocumentedRoute, type Gate, type OpenApiDocument } from "./openapi";
import { document, file, fixedText } from "./page-answers";
import { introduce, orderByTags } from "./tags";

const page = (title: string) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${Bun.escapeHTML(title)} API</title>
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

/** Served as a separate file, so that the content security policy can forbid inline scripts. */
const startScript = `SwaggerUIBundle({
  url: "/swagger/json",
  dom_id: "#swagger-ui",
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The token outlives a reload; it stays in this browser.
  persistAuthorization: true,
  // Else it would show the document to a service on the internet.
  validatorUrl: null,
  // A stream has no end: the page would wait for it for ever. Its description says what to do instead.
  plugins: [
    {
      statePlugins: {
        spec: {
          wrapSelectors: {
            allowTryItOutFor: (original, system) => (state, path, method) =>
              !system.specSelectors.specJson().hasIn(["paths", path, method, "responses", "200", "content", "text/event-stream"]) &&
              original(state, path, method),
          },
        },
      },
    },
  ],
});
`;

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Shown = Pick<Config, "apiTokens" | "issuer" | "rateLimit" | "allowedHosts">;

/**
 * Serves the OpenAPI document of all routes at `/swagger/json`, and Swagger UI at `/swagger`. The page loads its script from
 * the package and so works offline. The plugin's own page would load it from a CDN.
 *
 * @param routes returns every route of the app. Called once, at the first request.
 */
export function apiDocs(config: Shown, catalogue: Catalogue, routes: () => readonly DocumentedRoute[]) {
  const hidden = { detail: { hide: true } };
  return new Elysia({ name: "swagger-ui" })
    .get(
      "/swagger/json",
      document(() => openApiDocument(config, catalogue, routes())),
      hidden,
    )
    .get("/swagger", fixedText(page(aboutProject().title), "text/html", { "content-security-policy": contentSecurityPolicy }), hidden)
    .get("/swagger/start.js", fixedText(startScript, "text/javascript"), hidden)
    .get("/swagger/swagger-ui-bundle.js", file(scriptFile, "text/javascript; charset=utf-8"), hidden)
    .get("/swagger/swagger-ui.css", file(styleFile, "text/css; charset=utf-8"), hidden)
    .get("/swagger/favicon.png", file(iconFile, "image/png"), hidden);
}

async function openApiDocument(
  { apiTokens, issuer, rateLimit, allowedHosts }: Shown,
  catalogue: Catalogue,
  routes: readonly DocumentedRoute[],
): Promise<OpenApiDocument> {
  // Imported on first use, because it loads Zod and would slow down every start.
  const { swagger } = await import("@elysiajs/swagger");
  const { title, version, author, license } = aboutProject();
  const needsToken = requiresToken({ apiTokens, issuer });
  const accepted = [apiTokens.length > 0 && "one of the tokens in API_TOKEN", issuer && `a JWT of the issuer ${issuer.url}`].filter(
    Boolean,
  );
  const plugin = swagger({ provider: "swagger-ui" });
  // The plugin documents the routes of its parent app, which it gets from this method.
  Object.assign(plugin, { getGlobalRoutes: () => routes });
  const drawn = (await (await plugin.handle(new Request("http://localhost/swagger/json"))).json()) as OpenApiDocument;
  const document: OpenApiDocument = {
    ...drawn,
    // The plugin declares 3.0.3, in which a type cannot be null.
    openapi: "3.1.0",
    info: {
      title: `${title} API`,
      version,
      description: introduce(catalogue),
      ...(author && { contact: { name: author } }),
      ...(license && { license: { name: license, identifier: license } }),
    },
    servers: [{ url: "/", description: "This service." }],
    // Present even without tokens, so that a generated client also works with a service that has tokens.
    components: {
      ...drawn.components,
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          ...(issuer && { bearerFormat: "JWT" }),
          description: needsToken ? sentence(accepted.join(", or ")) : "Not required, because API_TOKEN is not set.",
        },
      },
    },
    security: needsToken ? [{ token: [] }] : [{}, { token: [] }],
  };
  const gate: Gate = {
    scopeFor,
    needsToken,
    mayLackRead: issuer !== null,
    limitsRate: rateLimit !== null,
    checksHost: allowedHosts !== null,
  };
  return orderByTags(completeDocument(document, routes, gate), catalogue);
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}
