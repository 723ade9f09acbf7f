import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Config } from "../config/config";
import { clientsBehind } from "../http/client-address";
import { compressible } from "../http/compression";
import { jsonBody } from "../http/json-body";
import { HttpProblem, problemResponse } from "../http/problem";
import { limitRate } from "../http/rate-limit";
import { sealSession, sessionCookie } from "./session";

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** Attempts to sign in per second from one address. */
const signInsPerSecond = 3;

const SignIn = Type.Object({ token: Type.String({ minLength: 1, maxLength: 4096 }) }, { additionalProperties: false });
const seconds = { aDay: 86_400, aYear: 31_536_000 };

/** Serves the console's page and its files below `/console/`, and its sign-in. Everything that they show comes from the API. */
export function consolePages({ apiTokens, trustedProxies, console: mode }: Pick<Config, "apiTokens" | "trustedProxies" | "console">) {
  // The page is for everybody, as Swagger UI is: what it shows needs a token.
  const open = { detail: { hide: true, security: [] } };
  const hidden = { detail: { hide: true } };
  const limit = limitRate(signInsPerSecond);
  const clientOf = clientsBehind(trustedProxies);
  const isSecure = (request: Request) =>
    request.url.startsWith("https:") || (trustedProxies > 0 && request.headers.get("x-forwarded-proto") === "https");

  return new Elysia({ name: "console" })
    .get(
      "/console",
      async ({ request }) => {
        // The page's links are relative to its folder.
        if (!new URL(request.url).pathname.endsWith("/")) return new Response(null, { status: 302, headers: { location: "console/" } });
        const { html } = await files();
        const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" };
        // The page then offers no changes, which would be refused.
        const page = html.replace("<html ", `<html data-console="${mode}" `);
        return new Response(page, { headers: { ...headers, "content-security-policy": contentSecurityPolicy } });
      },
      open,
    )
    .get(
      "/console/:file",
      async ({ params }) => {
        const file = (await files()).files.get(params.file);
        if (!file) throw new HttpProblem(404, `The console has no file ${params.file}.`);
        const age = file.isHashed ? `max-age=${seconds.aYear}, immutable` : `max-age=${seconds.aDay}`;
        const headers = { "content-type": file.type, "cache-control": age };
        const response = new Response(await file.source.read(), { headers });
        return file.isText ? compressible(response, file.source) : response;
      },
      { ...open, params: Type.Object({ file: Type.String() }) },
    )
    .post(
      "/console/session",
      ({ request, body, server }) => {
        const refused = limit(request, clientOf(request, server));
        if (refused) return refused;
        const [found] = apiTokens.filter(({ token }) => isSame(token, body.token));
        if (!found) return problemResponse(request, 401, { detail: "This is not one of the tokens in API_TOKEN." });
        return new Response(null, { status: 204, headers: { "set-cookie": sessionCookie(sealSession(found.token), isSecure(request)) } });
      },
      { ...jsonBody(SignIn, "application/json"), ...hidden },
    )
    .delete(
      "/console/session",
      ({ request }) => new Response(null, { status: 204, headers: { "set-cookie": sessionCookie(undefined, isSecure(request)) } }),
      hidden,
    );
}

async function files() {
  return (await import("./page-files")).loadPage();
}

/** Compares digests in constant time, so that the time reveals nothing about a token. */
function isSame(token: string, sent: string): boolean {
  const digest = (text: string) => Bun.CryptoHasher.hash("sha256", text);
  return crypto.timingSafeEqual(digest(token), digest(sent));
}
