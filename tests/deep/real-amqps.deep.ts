// TLS to a real RabbitMQ: who may be spoken to, and what is said when somebody may not.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type ChannelModel, connect } from "amqplib";
import { type Certificate, certificateAuthority, certificateFor } from "../support/certificate";
import { command } from "../support/command";
import { temporaryFolder, writeSecret } from "../support/folder";
import { freePort } from "../support/net";
import { type Api, endAll, environment, eventually, send, startApi, startLogger } from "../support/processes";
import { describeWithRabbit, type OwnRabbit, startRabbit } from "../support/rabbit";
import { openTlsPorts } from "../support/rabbit-tls";

setDefaultTimeout(60_000);

const untrusted = "is not from a trusted authority";
const setCa = "set RABBITMQ_CA_FILE to the certificate of the authority that signed it";

describeWithRabbit("amqps://", () => {
  const authority = certificateAuthority();
  const certificate = authority.issue(["localhost", "127.0.0.1"]);
  const expiredCertificate = authority.issue(["localhost"], -1);
  const good = { port: freePort(), certificate };
  const demanding = { port: freePort(), certificate, clientAuthority: authority.cert };
  const otherHost = { port: freePort(), certificate: authority.issue(["rabbit.example.org"]) };
  const expired = { port: freePort(), certificate: expiredCertificate };
  const selfSigned = { port: freePort(), certificate: certificateFor("localhost") };
  let rabbit: OwnRabbit;
  let broker: ChannelModel;
  let files: ReturnType<typeof temporaryFolder>;
  let folder: ReturnType<typeof temporaryFolder>;
  const ca = () => ({ RABBITMQ_CA_FILE: join(files.path, "authority.pem") });

  beforeAll(async () => {
    files = temporaryFolder();
    await Bun.write(ca().RABBITMQ_CA_FILE, authority.cert);
    rabbit = await startRabbit();
    broker = await connect(rabbit.url);
    await openTlsPorts(rabbit, files.path, [good, demanding, otherHost, expired, selfSigned]);
  });
  afterAll(async () => {
    await broker?.close();
    await rabbit?.dispose();
    files?.remove();
  });

  beforeEach(async () => {
    folder = temporaryFolder();
    const channel = await broker.createChannel();
    await channel.deleteExchange("events");
    await channel.close();
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
  });

  const settings = (port: number, env: Record<string, string>, host = "localhost") => ({
    ...environment(folder.path, `amqps://guest:guest@${host}:${port}/`),
    LOG_LEVEL: "debug",
    ...env,
  });
  /** The variables of a client certificate. */
  async function client({ cert, key }: Certificate): Promise<Record<string, string>> {
    const [certFile, keyFile] = [join(folder.path, "client.pem"), join(folder.path, "client-key.pem")];
    await Bun.write(certFile, cert);
    writeSecret(keyFile, key);
    return { RABBITMQ_CERT_FILE: certFile, RABBITMQ_KEY_FILE: keyFile };
  }
  const ready = async (api: Api) => (await send("GET", `${api.url}/health/ready`)).json() as Promise<Record<string, unknown>>;
  const relayed = (api: Api, count: number) =>
    eventually(async () => ((await ready(api))["confirmed"] === count ? true : undefined), `${count} confirmed events`);
  const nothingArrived = async () => {
    const channel = await broker.createChannel();
    channel.on("error", () => {});
    await expect(channel.checkExchange("events")).rejects.toThrow("NOT_FOUND");
  };

  test("a good certificate, and a client's own: the API relays, and a consumer receives", async () => {
    const env = settings(demanding.port, { ...ca(), ...(await client(authority.issue(["client"]))) });
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await send("POST", `${api.url}/items`, { name: "over TLS" });
    await logger.line("[CREATED] Item ID: 1, Name: over TLS");
    await relayed(api, 1);
    expect(await ready(api)).toMatchObject({ status: "ready", transport: "rabbitmq", broker: "connected" });
  });

  test("the host may be an address, if the certificate names it", async () => {
    const api = await startApi({ env: settings(good.port, ca(), "127.0.0.1") });
    await send("POST", `${api.url}/items`, { name: "x" });
    await relayed(api, 1);
  });

  const strangers = async () => ({ ...ca(), ...(await client(certificateFor("client"))) });
  const unverified = () => ({ NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  const otherNames = ["for another host (Host: localhost. is not", "DNS:rabbit.example.org", "use a host name in RABBITMQ_URL"];
  const noneSent = ["requires a client certificate; set RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE"];
  const notTaken = ["RabbitMQ refused the client certificate", "set RABBITMQ_CERT_FILE to"];
  const refused: [string, () => number, () => Promise<Record<string, string>> | Record<string, string>, string[]][] = [
    ["is self-signed", () => selfSigned.port, ca, [untrusted, setCa]],
    ["is self-signed, whatever NODE_TLS_REJECT_UNAUTHORIZED says", () => selfSigned.port, unverified, [untrusted, setCa]],
    ["comes from an authority that is not trusted", () => good.port, () => ({}), [untrusted, setCa]],
    ["is for another host", () => otherHost.port, ca, otherNames],
    ["has expired", () => expired.port, ca, ["has expired; renew it"]],
    ["is missing on the client's side", () => demanding.port, ca, noneSent],
    ["is a stranger's on the client's side", () => demanding.port, strangers, notTaken],
    ["is not there at all, since the port has no TLS", () => rabbit.port, ca, ["does not use TLS", "RABBITMQ_URL", "5671"]],
  ];
  test.each(refused)("a certificate that %s: refused, said once, and the API goes on", async (_, port, env, expected) => {
    const api = await startApi({ env: settings(port(), await env()) });
    // It is tried again, but a person is told once.
    const [first = "", ...again] = await api.lines(/Cannot reach RabbitMQ/, 3);
    const { level, error } = JSON.parse(first) as Record<string, string>;
    expect(level).toBe("warn");
    for (const part of expected) expect(error).toContain(part);
    for (const line of again) expect(JSON.parse(line)).toMatchObject({ level: "debug", error });

    expect((await send("POST", `${api.url}/items`, { name: "kept in the log" })).status).toBe(201);
    expect(await ready(api)).toMatchObject({ status: "degraded", transport: "rabbitmq", broker: "connecting", events: 1, confirmed: 0 });
    await nothingArrived();
    expect(await api.stop()).toBe(0);
  });

  test("of several nodes, each is checked for its own name: a process goes on to one that is right", async () => {
    const nodes = [`localhost:${otherHost.port}`, `127.0.0.1:${expired.port}`, `127.0.0.1:${good.port}`];
    const env = { ...settings(good.port, ca()), RABBITMQ_URL: `amqps://guest:guest@${nodes.join(",")}` };
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, { name: "x" });
    await relayed(api, 1);
    expect(await ready(api)).toMatchObject({ broker: "connected", node: nodes[2] });
    // Each node that was tried before is reported once, with what is wrong with it.
    const warnings = api.stdout
      .filter((line) => line.includes("Cannot reach RabbitMQ"))
      .map((line) => JSON.parse(line) as Record<string, string>);
    for (const { broker, error } of warnings) {
      expect(error).toContain(broker?.endsWith(String(otherHost.port)) ? "for another host" : "has expired");
    }
    const away = await command("status", [], { ...env, RABBITMQ_URL: `amqps://guest:guest@${nodes.slice(0, 2).join(",")}` });
    expect(away.code).toBe(1);
    for (const reason of [`${nodes[0]}: the certificate of RabbitMQ is for another host`, `${nodes[1]}: the certificate`, "has expired"]) {
      expect(away.stdout).toContain(reason);
    }
  });

  test("in an outage, a refusal is said too; when the certificate is renewed, what waited is sent, with no restart", async () => {
    const port = freePort();
    const api = await startApi({ env: settings(port, ca()) });
    const warning = (text: string) => api.line(new RegExp(`"level":"warn".*${text}`));
    await warning("ECONNREFUSED");
    await send("POST", `${api.url}/items`, { name: "x" });
    const renew = await openTlsPorts(rabbit, files.path, [{ port, certificate: expiredCertificate }]);
    await warning("has expired");
    await renew(port, certificate);
    await relayed(api, 1);
  });
});
