/// <reference path="../assets.d.ts" />
import scriptFile from "@asyncapi/react-component/browser/standalone/index.js" with { type: "file" };
import styleFile from "@asyncapi/react-component/styles/default.min.css" with { type: "file" };
import { Elysia } from "elysia";
import { aboutProject } from "../project/about";
import type { Catalogue } from "../schema/catalogue";
import { asyncApiDocument } from "./asyncapi";
import type { FoundConsumer } from "./find-consumers";
import { document, file, fixedText } from "./page-answers";

const page = (title: string) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${Bun.escapeHTML(title)} events</title>
  <link rel="icon" href="/swagger/favicon.png">
  <link rel="stylesheet" href="/asyncapi/style.css">
</head>
<body>
  <div id="asyncapi"></div>
  <script src="/asyncapi/component.js"></script>
  <script src="/asyncapi/start.js"></script>
</body>
</html>
`;

const startScript = `AsyncApiStandalone.render(
  { schema: { url: "/asyncapi.json" }, config: { show: { sidebar: true, messageExamples: true } } },
  document.getElementById("asyncapi"),
);
`;

/** Allows `unsafe-eval` for this page only: the component compiles the JSON Schemas of AsyncAPI to code when it loads. */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** Serves the AsyncAPI document of all events at `/asyncapi.json`, and a page with AsyncAPI's own component at `/asyncapi`. */
export function eventDocs(catalogue: Catalogue, consumers: readonly FoundConsumer[]) {
  const hidden = { detail: { hide: true } };
  return new Elysia({ name: "asyncapi" })
    .get(
      "/asyncapi.json",
      document(() => asyncApiDocument(catalogue, consumers)),
      hidden,
    )
    .get("/asyncapi", fixedText(page(aboutProject().title), "text/html", { "content-security-policy": contentSecurityPolicy }), hidden)
    .get("/asyncapi/start.js", fixedText(startScript, "text/javascript"), hidden)
    .get("/asyncapi/component.js", file(scriptFile, "text/javascript; charset=utf-8"), hidden)
    .get("/asyncapi/style.css", file(styleFile, "text/css; charset=utf-8"), hidden);
}
