import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import styleFile from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import scriptFile from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import packageJson from "../package.json";

const page = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Warren API</title>
  <link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/swagger/swagger-ui-bundle.js"></script>
  <script src="/swagger/start.js"></script>
</body>
</html>
`;

/** In a file of its own, so that a content security policy need not allow scripts in the page. */
const startScript = `SwaggerUIBundle({ url: "/swagger/json", dom_id: "#swagger-ui", tryItOutEnabled: true, displayRequestDuration: true });\n`;

/**
 * The OpenAPI document of all routes at `/swagger/json`, and Swagger UI at `/swagger`. The plugin's own page would load
 * its script from a CDN; this one takes it from the package, so that it works with no internet.
 */
export function apiDocs(options: { readonly withToken: boolean }) {
  const hidden = { detail: { hide: true } };
  const file = (path: string, type: string) => () =>
    new Response(Bun.file(path), { headers: { "content-type": type, "cache-control": "max-age=3600" } });
  return new Elysia({ name: "swagger-ui" })
    .use(
      swagger({
        provider: "swagger-ui",
        documentation: {
          // The plugin says 3.0.3, in which a type cannot be null.
          openapi: "3.1.0",
          info: {
            title: "Warren API",
            version: packageJson.version,
            description: "Every change to a resource is an event: `item.created`, `item.updated`, `item.deleted`.",
          },
          ...(options.withToken && {
            components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
            security: [{ token: [] }],
          }),
        } as NonNullable<Parameters<typeof swagger>[0]>["documentation"] & object,
      }),
    )
    .get("/swagger", () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }), hidden)
    .get("/swagger/start.js", () => new Response(startScript, { headers: { "content-type": "text/javascript; charset=utf-8" } }), hidden)
    .get("/swagger/swagger-ui-bundle.js", file(scriptFile, "text/javascript; charset=utf-8"), hidden)
    .get("/swagger/swagger-ui.css", file(styleFile, "text/css; charset=utf-8"), hidden);
}
