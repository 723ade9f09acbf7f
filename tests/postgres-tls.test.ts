// TLS and passwords: who the server is gets verified unless the address says otherwise, and the password appears nowhere.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, readConfig } from "../src/config/config";
import type { PostgresAddress } from "../src/config/postgres-url";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { certificateAuthority, certificateFor } from "./support/certificate";
import { writeSecret } from "./support/folder";
import { describeWithPostgres, useOwnPostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { useFolder } from "./support/use-folder";

const password = "s3cret/ü%?@#";
const authority = certificateAuthority();

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

/** Reads an address as the service does. */
function addressOf(url: string): PostgresAddress {
  const { database } = readConfig({ isTerminal: false, environment: { DATABASE_URL: url } });
  if (database.engine !== "postgres") throw new Error(url);
  return database;
}

function open(address: PostgresAddress): Database {
  const database = openDatabase(address, { connectMs: 2000 });
  opened.push(database);
  return database;
}

/** Name in the clients' certificates of tests. */
const carl = "Warren test";
const onlyTls = [
  `hostssl all "${carl}" 127.0.0.1/32 cert`,
  "hostssl all all 127.0.0.1/32 scram-sha-256",
  "hostnossl all all 127.0.0.1/32 reject",
];

describeWithPostgres("a server with a certificate for its name", () => {
  const postgres = useOwnPostgres({ tls: { ...authority.issue(["localhost"]), ca: authority.cert }, access: onlyTls });
  const folder = useFolder();
  const file = (name: string, text: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const urlOf = (query: string, { host = "localhost", secret = password, user = "ada" } = {}) =>
    `postgres://${user}:${encodeURIComponent(secret)}@${host}:${postgres().port}/postgres?${query}`;
  const encrypted = "SELECT ssl, version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  const answer = (url: string) => open(addressOf(url)).query(encrypted);
  const refusal = async (url: string) => (await rejection(answer(url))).message;
  const makeUser = () =>
    postgres().evaluate(`DO $$ BEGIN CREATE ROLE ada LOGIN PASSWORD '${password}'; EXCEPTION WHEN duplicate_object THEN END $$`);

  test("is verified with the authority of the address, by its name", async () => {
    await makeUser();
    const ca = file("ca.pem", authority.cert);
    expect(await answer(urlOf(`sslmode=verify-full&sslrootcert=${ca}`))).toEqual([{ ssl: true, version: "TLSv1.3", client_dn: null }]);
    const other = await refusal(urlOf(`sslmode=verify-full&sslrootcert=${ca}`, { host: "127.0.0.1" }));
    expect(other).toMatch(/has a certificate that is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\).* Use the host name in its certificate/);
    expect(await answer(urlOf(`sslmode=verify-ca&sslrootcert=${ca}`, { host: "127.0.0.1" }))).toMatchObject([{ ssl: true }]);
    expect(await answer(urlOf("sslmode=require", { host: "127.0.0.1" }))).toMatchObject([{ ssl: true }]);
  });

  test("is refused with another authority, with none, and by a variable that turns checks off elsewhere", async () => {
    await makeUser();
    const foreign = file("foreign.pem", certificateAuthority().cert);
    const self = file("self.pem", certificateFor("localhost").cert);
    for (const query of [
      "sslmode=verify-full",
      "sslmode=verify-ca",
      ...[foreign, self].map((ca) => `sslmode=verify-full&sslrootcert=${ca}`),
    ])
      expect(await refusal(urlOf(query))).toContain("has a certificate that is not trusted");
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      expect(await refusal(urlOf("sslmode=verify-full"))).toContain("has a certificate that is not trusted");
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });

  test("takes a client's certificate", async () => {
    await makeUser();
    const client = authority.issue(["carl"]);
    await postgres().evaluate(`CREATE ROLE "${carl}" LOGIN`);
    const [ca, cert, key] = [file("ca.pem", authority.cert), file("client.pem", client.cert), join(folder.path, "client.key")];
    writeSecret(key, client.key);
    const url = (query: string) => urlOf(`sslmode=verify-full&sslrootcert=${ca}${query}`, { user: encodeURIComponent(carl), secret: "" });
    expect(await answer(url(`&sslcert=${cert}&sslkey=${key}`))).toMatchObject([{ ssl: true, client_dn: `/CN=${carl}` }]);
    expect(await refusal(url(""))).toContain("connection requires a valid client certificate");
  });

  test("refuses a connection without TLS, another password and another user, with a clear answer", async () => {
    await makeUser();
    const at = `postgres://localhost:${postgres().port}/postgres`;
    expect(await refusal(urlOf("sslmode=disable"))).toStartWith(
      `The database ${at} refused the user (28000: pg_hba.conf rejects connection`,
    );
    expect(await refusal(urlOf("sslmode=require", { secret: "wrong" }))).toBe(
      `The database ${at} refused the password (28P01: password authentication failed for user "ada"). Check the user and the password in DATABASE_URL.`,
    );
    expect(await refusal(urlOf("sslmode=require", { user: "eve" }))).toContain("refused the password");
  });

  test("never has its password in an error or what is derived of it", async () => {
    await makeUser();
    const errors = [
      await rejection(answer(urlOf("sslmode=verify-full"))),
      await rejection(answer(urlOf("sslmode=disable"))),
      await rejection(answer(urlOf("sslmode=require", { user: "eve" }))),
      await rejection(open({ ...addressOf(urlOf("sslmode=require")), database: "none" }).query("SELECT 1")),
      await rejection(open({ ...addressOf(urlOf("sslmode=require")), port: 1 }).query("SELECT 1")),
      await rejection(answer(urlOf("sslmode=require")).then(() => open(addressOf(urlOf("sslmode=require"))).query("SELECT 1 / 0"))),
    ];
    for (const error of errors) {
      const shown = `${Bun.inspect(error, { depth: 20 })} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`;
      expect(shown).not.toContain("s3cret");
    }
    expect(addressOf(urlOf("")).shown).not.toContain("s3cret");
    const wrong = await rejection((async () => addressOf(urlOf("sslmode=on")))());
    expect(wrong).toBeInstanceOf(ConfigError);
    expect(wrong.message).not.toContain("s3cret");
    expect(errors[3]?.message).toContain('does not have the database (3D000: database "none" does not exist). Create it with createdb');
    expect(errors[4]?.message).toContain("cannot be reached");
  });
});

describeWithPostgres("a server without TLS", () => {
  const postgres = useOwnPostgres();

  test("is not used unless the address says so", async () => {
    const url = (query: string) => `${postgres().url.replace("127.0.0.1", "localhost")}?${query}`;
    for (const mode of ["require", "verify-ca", "verify-full"])
      expect((await rejection(open(addressOf(url(`sslmode=${mode}`))).query("SELECT 1"))).message).toContain("does not offer TLS");
    expect(await open(addressOf(url(""))).query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});
