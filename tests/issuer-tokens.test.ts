// JWTs of an OpenID Connect issuer: which ones are accepted, as whom, and what happens while the issuer is away.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { base64url, exportSPKI, importJWK, SignJWT } from "jose";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import replays from "../src/built-in/replays";
import { IssuerKeys, type KeyTiming } from "../src/http/issuer-keys";
import { verifyOnce } from "../src/http/known-tokens";
import { InvalidToken } from "../src/http/refused-token";
import { type Answer, openApi, type TestApi } from "./support/api";
import { audience, type Claims, type TestIssuer, testIssuer } from "./support/issuer";
import { recordedLog } from "./support/recorded-log";

const memo = defineResource({ name: "memo", fields: { text: Type.String() }, example: { text: "Milk" } });
const routes = [
  { file: "memos.ts", path: "/memos", route: crud(memo) },
  { file: "replays.ts", path: "/replays", route: replays },
];

const apiFor = ({ url }: TestIssuer, audiences = [audience]) =>
  openApi({
    resources: [memo],
    routes,
    config: { issuer: { url, audiences }, apiTokens: [{ scope: "write", name: "robot", token: "a-token-of-the-service" }] },
  });
const send = (api: TestApi, token: string, method = "GET", path = "/memos", headers = {}): Promise<Answer> =>
  api.send(method, path, method === "POST" ? { text: "Milk" } : undefined, { authorization: `Bearer ${token}`, ...headers });
const now = () => Math.floor(Date.now() / 1000);

describe("an issuer that is there", () => {
  let issuer: TestIssuer;
  let api: TestApi;
  beforeAll(async () => {
    issuer = await testIssuer();
    api = apiFor(issuer);
  });
  afterAll(async () => {
    await api.close();
    await issuer.stop();
  });

  test("is accepted beside the tokens of API_TOKEN, and one of them is needed", async () => {
    expect((await send(api, await issuer.sign())).status).toBe(200);
    expect((await send(api, "a-token-of-the-service")).status).toBe(200);
    expect((await api.send("GET", "/memos")).json()).toMatchObject({
      status: 401,
      detail: "Send one of the tokens in API_TOKEN, or a JWT of AUTH_ISSUER as `Authorization: Bearer <token>`.",
    });
  });

  test("its subject is the actor of the event and of the rest", async () => {
    expect((await send(api, await issuer.sign({ sub: "auth0|5f7c8ec7c33c6c004bbafe82" }), "POST")).status).toBe(201);
    expect((await api.events()).at(-1)).toMatchObject({ actor: "auth0|5f7c8ec7c33c6c004bbafe82" });
  });

  test.each<[Claims, number[]]>([
    [{ scope: "read" }, [200, 403, 403]],
    [{ scope: "openid profile write" }, [200, 201, 403]],
    [{ scope: "admin" }, [200, 201, 200]],
    [{ scope: undefined, scp: ["write"] }, [200, 201, 403]],
    [{ scope: undefined, scp: "read write" }, [200, 201, 403]],
    [{ scope: undefined, scopes: ["read"] }, [200, 403, 403]],
    [{ scope: undefined, permissions: ["admin", 5, null] }, [200, 201, 200]],
    [{ scope: "openid" }, [403, 403, 403]],
    [{ scope: undefined }, [403, 403, 403]],
    [{ scope: { admin: true } }, [403, 403, 403]],
    [{ scope: "administrator readwrite ADMIN" }, [403, 403, 403]],
  ])("its scopes are those of the tokens of the service: %j", async (claims, statuses) => {
    const token = await issuer.sign(claims);
    const answers = [await send(api, token), await send(api, token, "POST"), await send(api, token, "GET", "/replays")];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    const refused = answers.find(({ status }) => status === 403);
    if (refused) expect(refused.headers.get("www-authenticate")).toContain('error="insufficient_scope", scope="');
  });

  test.each<[string, () => Promise<string>, string]>([
    ["has expired", () => issuer.sign({ exp: now() - 60 }), "The token has expired."],
    ["is not valid yet", () => issuer.sign({ nbf: now() + 60 }), 'The token is not valid yet (claim "nbf").'],
    ["never expires", () => issuer.sign({ exp: undefined }), 'The token lacks the claim "exp".'],
    ["expires at a text", () => issuer.sign({ exp: "2999" }), 'The claim "exp" of the token is not the one that this API expects.'],
    [
      "is for another service",
      () => issuer.sign({ aud: "the-bank" }),
      'The claim "aud" of the token is not the one that this API expects.',
    ],
    ["is for nobody", () => issuer.sign({ aud: undefined }), 'The token lacks the claim "aud".'],
    ["is of another issuer", () => issuer.sign({ iss: "https://evil.example" }), 'The claim "iss" of the token is not the one'],
    ["is of an issuer with almost that name", () => issuer.sign({ iss: `${issuer.url}/` }), 'The claim "iss" of the token is not the one'],
    ["has no subject", () => issuer.sign({ sub: undefined }), 'The token lacks the claim "sub".'],
    ["has an empty subject", () => issuer.sign({ sub: "" }), 'The claim "sub" of the token must have 1 to 255 characters.'],
    ["has a subject that is no text", () => issuer.sign({ sub: 5 }), 'The claim "sub" of the token must have'],
    ["has a long subject", () => issuer.sign({ sub: "x".repeat(256) }), 'The claim "sub" of the token must have'],
    ["has half a character in its subject", () => issuer.sign({ sub: "\ud800" }), 'The claim "sub" of the token must have'],
    ["is for a logout", () => issuer.sign({}, { header: { typ: "logout+jwt" } }), "The token is a logout+jwt, not an access token."],
    ["is bound to a key", () => issuer.sign({ cnf: { jkt: "x" } }), "The token is bound to a key (`cnf`)"],
    ["has an unknown critical header", () => critical(issuer), "The token is not a valid JWT."],
    ["has another key under a known id", () => forged(issuer), "The signature of the token is not valid."],
    ["is signed with an unknown key", () => unknown(issuer), "The issuer has no key that matches the token."],
    ["brings its key along", () => ownKey(issuer), "The issuer has no key that matches the token."],
    ["is not signed", () => unsigned(issuer, "none"), "The token is signed with an algorithm that is not allowed."],
    ["is not signed, in other letters", () => unsigned(issuer, "nOnE"), "The token is signed with an algorithm that is not allowed."],
    ["is signed with the public key as a secret", () => confused(issuer), "The token is signed with an algorithm that is not allowed."],
    ["was changed", () => changed(issuer), "The signature of the token is not valid."],
    ["is cut", async () => (await issuer.sign()).slice(0, -3), "The signature of the token is not valid."],
    ["is no JSON", async () => "abc.def.ghi", "The token is not a valid JWT."],
  ])("a token that %s: 401", async (_, token, why) => {
    const answer = await send(api, await token());
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="warren", error="invalid_token"']);
    expect(answer.json<{ detail: string }>().detail).toStartWith(why);
  });

  test("clocks may differ by some seconds; a subject may have any letters; of several audiences one must fit", async () => {
    for (const claims of [
      { exp: now() - 15 },
      { nbf: now() + 15 },
      { sub: "Åsa 💡" },
      { sub: "x".repeat(255) },
      { aud: ["the-bank", audience] },
    ])
      expect([claims, (await send(api, await issuer.sign(claims))).status]).toEqual([claims, 200]);
    for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt", undefined])
      expect([typ, (await send(api, await issuer.sign({}, { header: { typ } }))).status]).toEqual([typ, 200]);
  });

  test("what is neither a JWT nor a known token is refused without asking the issuer; a huge token is no different", async () => {
    const before = issuer.requests.length;
    for (const token of ["x", "a.b", "a.b.c.d", "a.b.c.d.e", `${"x".repeat(100_000)}`, "é.é.é"]) {
      expect((await api.send("GET", "/memos", undefined, { authorization: `Bearer ${encodeURI(token)}` })).status).toBe(401);
    }
    const huge = await issuer.sign({ padding: "x".repeat(1_000_000), aud: "the-bank" });
    const answer = await send(api, huge);
    expect([answer.status, answer.text.length < 500]).toEqual([401, true]);
    expect(issuer.requests.length).toBe(before);
  });

  test("a renewed token repeats a request with the same Idempotency-Key, and another subject's does not", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await send(api, await issuer.sign({ sub: "grace" }), "POST", "/memos", key);
    const again = await send(api, await issuer.sign({ sub: "grace", jti: "another", exp: now() + 3600 }), "POST", "/memos", key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect((await send(api, await issuer.sign({ sub: "eve" }), "POST", "/memos", key)).text).not.toBe(first.text);
    // A token of the service with the same name is somebody else.
    const robot = await send(api, "a-token-of-the-service", "POST", "/memos", key);
    expect((await send(api, await issuer.sign({ sub: "robot" }), "POST", "/memos", key)).text).not.toBe(robot.text);
  });

  test("the API document says what a token is", async () => {
    const { components } = (await api.send("GET", "/swagger/json")).json<{ components: { securitySchemes: { token: object } } }>();
    expect(components.securitySchemes.token).toEqual({
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: `One of the tokens in API_TOKEN, or a JWT of the issuer ${issuer.url}.`,
    });
  });
});

test.each(["RS256", "PS384", "ES256", "ES512", "EdDSA"])("a token signed with %s is accepted", async (alg) => {
  const issuer = await testIssuer(alg);
  const api = apiFor(issuer);
  expect((await send(api, await issuer.sign())).status).toBe(200);
  await api.close();
  await issuer.stop();
});

describe("an issuer that is away", () => {
  let issuer: TestIssuer;
  let api: TestApi;
  beforeEach(async () => {
    issuer = await testIssuer();
  });
  afterEach(async () => {
    await api.close();
    await issuer.stop();
  });

  test("at the start: 503 with Retry-After, one line in the log; the tokens of the service work, and JWTs do as soon as it is back", async () => {
    await issuer.stop();
    api = apiFor(issuer);
    const token = await issuer.sign();
    const away = await send(api, token);
    expect([away.status, away.headers.get("retry-after"), away.json()]).toEqual([
      503,
      "5",
      expect.objectContaining({
        type: "/problems/unavailable",
        detail: expect.stringContaining("The issuer of the token cannot be reached"),
      }),
    ]);
    expect((await send(api, "a-token-of-the-service")).status).toBe(200);
    expect((await send(api, token)).status).toBe(503);
    expect(api.lines.filter(({ msg }) => String(msg).startsWith("Cannot fetch the keys of AUTH_ISSUER"))).toHaveLength(1);
    issuer.start();
    await until(async () => (await send(api, token)).status === 200);
    expect(api.lines.filter(({ msg }) => msg === "AUTH_ISSUER is reachable again")).toHaveLength(1);
  });

  test("later: known keys stay in use", async () => {
    api = apiFor(issuer);
    const token = await issuer.sign();
    expect((await send(api, token)).status).toBe(200);
    await issuer.stop();
    expect((await send(api, token)).status).toBe(200);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      "is of another issuer",
      { issuer: "https://other.example" },
      'is of the issuer "https://other.example"; set AUTH_ISSUER to exactly that.',
    ],
    ["has no keys", { jwks_uri: undefined }, "has no https:// URL in jwks_uri."],
    ["has keys on another machine without TLS", { jwks_uri: "http://keys.example/jwks" }, "has no https:// URL in jwks_uri."],
    ["has a file for its keys", { jwks_uri: "file:///etc/passwd" }, "has no https:// URL in jwks_uri."],
  ])("its configuration %s: 503, and the log says so", async (_, parts, why) => {
    issuer.configure(parts);
    api = apiFor(issuer);
    expect((await send(api, await issuer.sign())).status).toBe(503);
    expect(api.lines.at(-1)).toMatchObject({ issuer: issuer.url, error: expect.stringContaining(why) });
  });
});

describe("the keys of an issuer", () => {
  let issuer: TestIssuer;
  beforeEach(async () => {
    issuer = await testIssuer();
  });
  afterEach(() => issuer.stop());
  const keysWith = (timing: Partial<KeyTiming>) => new IssuerKeys(issuer.url, recordedLog().log, timing);
  const header = (kid: string) => ({ alg: "ES256", kid });
  const newest = () => issuer.keys.at(-1)?.kid ?? "";
  const fetches = () => issuer.requests.filter((path) => path === "/keys").length;

  test("are fetched once for many requests, and many unknown ids do not flood the issuer", async () => {
    const keys = keysWith({});
    await Promise.all(Array.from({ length: 50 }, () => keys.find(header(newest()))));
    expect(fetches()).toBe(1);
    const found = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => keys.find(header(`unknown-${index}`))));
    expect(new Set(found.map((each) => (each.status === "rejected" ? (each.reason as Error).name : "")))).toEqual(
      new Set(["JWKSNoMatchingKey"]),
    );
    expect(fetches()).toBe(1);
  });

  test("an unknown id fetches them again after the pause, once", async () => {
    const keys = keysWith({ pauseMs: 0 });
    await keys.find(header(newest()));
    await issuer.rotate();
    await Promise.all(Array.from({ length: 50 }, () => keys.find(header(newest()))));
    expect(fetches()).toBe(2);
  });

  test("that are old are fetched again beside their use; those that are too old are not used", async () => {
    const keys = keysWith({ refreshMs: 0, pauseMs: 0 });
    const kid = newest();
    await keys.find(header(kid));
    await issuer.rotate();
    // The known key is still there, and this starts a fetch.
    await keys.find(header(kid));
    await keys.refresh();
    expect(keys.find(header(kid))).rejects.toThrow("no applicable key found");

    const strict = keysWith({ expireMs: 0, pauseMs: 0 });
    await issuer.stop();
    expect(strict.find(header(newest()))).rejects.toMatchObject({ name: "IssuerUnavailable" });
  });

  test("an unknown id while the issuer is away is not the token's fault", async () => {
    const keys = keysWith({ pauseMs: 0 });
    const kid = newest();
    await keys.find(header(kid));
    await issuer.stop();
    expect(keys.find(header("new"))).rejects.toMatchObject({ name: "IssuerUnavailable" });
    expect(await keys.find(header(kid))).toBeInstanceOf(CryptoKey);
  });

  test("an issuer that does not respond is given up on after the time limit", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const keys = new IssuerKeys(`http://127.0.0.1:${silent.port}`, recordedLog().log, { timeoutMs: 50 });
    expect(keys.find(header("any"))).rejects.toMatchObject({ name: "IssuerUnavailable" });
    await keys.find(header("any")).catch(() => {});
    silent.stop(true);
  });
});

describe("a token that was verified", () => {
  const make = () => {
    let [calls, inUse]: [number, number | undefined] = [0, 1];
    const keys = {
      get inUse() {
        return inUse;
      },
    };
    const use = (next: number | undefined) => {
      inUse = next;
    };
    const actor = { subject: "ada", scopes: [] };
    const verify = verifyOnce(async (token) => {
      calls += 1;
      if (token === "bad") throw new InvalidToken("no");
      return { actor, expiresAt: token === "old" ? Date.now() - 1 : Date.now() + 60_000 };
    }, keys);
    return { verify, calls: () => calls, use };
  };

  test("is not verified again while the keys are the same; after they were fetched, it is", async () => {
    const { verify, calls, use } = make();
    for (let time = 0; time < 3; time += 1) await verify("one");
    await verify("two");
    expect(calls()).toBe(2);
    use(2);
    await verify("one");
    use(undefined);
    await verify("one");
    expect(calls()).toBe(4);
  });

  test("is verified again once it has expired, and so is one that is not valid", async () => {
    const { verify, calls } = make();
    for (const token of ["old", "old", "bad", "bad"]) await verify(token).catch(() => {});
    expect(calls()).toBe(4);
  });

  test("is forgotten after a thousand others", async () => {
    const { verify, calls } = make();
    for (let token = 0; token <= 1000; token += 1) await verify(String(token));
    await verify("1");
    expect(calls()).toBe(1001);
    await verify("0");
    expect(calls()).toBe(1002);
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20);
}

async function forged(issuer: TestIssuer): Promise<string> {
  const other = await testIssuer();
  await other.stop();
  const [key] = other.keys;
  return issuer.sign({}, { key: { ...key, kid: issuer.keys.at(-1)?.kid } as never, header: { alg: "ES256", kid: issuer.keys[0]?.kid } });
}

async function unknown(issuer: TestIssuer): Promise<string> {
  const other = await testIssuer();
  await other.stop();
  return issuer.sign({}, { key: other.keys[0] as never });
}

async function ownKey(issuer: TestIssuer): Promise<string> {
  const other = await testIssuer();
  await other.stop();
  const [key] = other.keys;
  return issuer.sign({}, { key: key as never, header: { jwk: key?.jwk, jku: `${other.url}/keys` } });
}

async function unsigned(issuer: TestIssuer, alg: string): Promise<string> {
  const [, payload] = (await issuer.sign()).split(".");
  return `${base64url.encode(JSON.stringify({ alg, typ: "JWT" }))}.${payload}.`;
}

async function confused(issuer: TestIssuer): Promise<string> {
  const key = issuer.keys[0];
  const pem = await exportSPKI((await importJWK({ ...key?.jwk, ext: true })) as CryptoKey);
  const claims = { iss: issuer.url, aud: audience, sub: "ada", scope: "admin", exp: now() + 300 };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: key?.kid ?? "" }).sign(new TextEncoder().encode(pem));
}

async function changed(issuer: TestIssuer): Promise<string> {
  const [header, payload = "", signature] = (await issuer.sign({ scope: "read" })).split(".");
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload))) as object;
  return `${header}.${base64url.encode(JSON.stringify({ ...claims, scope: "admin" }))}.${signature}`;
}

async function critical(issuer: TestIssuer): Promise<string> {
  const [, payload, signature] = (await issuer.sign()).split(".");
  return `${base64url.encode(JSON.stringify({ alg: "ES256", kid: issuer.keys[0]?.kid, crit: ["x"], x: 1 }))}.${payload}.${signature}`;
}
