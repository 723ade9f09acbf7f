// The files of deploy/cluster and compose.cluster.yaml name each other's parts, and variables that exist.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readConfig } from "../src/config/config";
import { root } from "./support/processes";

type Environment = Record<string, string>;
interface Service {
  readonly environment?: Environment;
  readonly volumes?: readonly string[];
}

const read = (name: string) => Bun.file(join(root, name)).text();
const compose = Bun.YAML.parse(await read("compose.cluster.yaml")) as { services: Record<string, Service>; volumes: Record<string, null> };

/** Returns the environment with a value for each variable that compose fills in. */
function filled(environment: Environment): Environment {
  const value = (text: string) => text.replace(/\$\{\w+(?::-([^}]*)|:\?[^}]*)\}/g, (_, fallback?: string) => fallback ?? "x".repeat(40));
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, value(text)]));
}

test("the cluster of compose has a configuration that the service takes", () => {
  for (const name of ["api1", "api2", "api3", "logger"]) {
    const environment = filled(compose.services[name]?.environment ?? {});
    const config = readConfig({ isTerminal: false, environment: { HOST: "0.0.0.0", ...environment } });
    expect(config).toMatchObject({ database: { engine: "postgres" }, rabbitmq: { queueType: "quorum" }, trustedProxies: 1 });
    expect(config.rabbitmq?.urls).toHaveLength(3);
  }
});

test("nginx and RabbitMQ name the services of compose, and each volume is declared", async () => {
  const services = Object.keys(compose.services);
  const [nginx, rabbitmq] = await Promise.all([read("deploy/cluster/nginx.conf"), read("deploy/cluster/rabbitmq.conf")]);
  const named = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = ""]) => name);
  expect(named(nginx, /server (\w+):3000/g)).toEqual(services.filter((name) => name.startsWith("api")));
  expect(named(rabbitmq, /= rabbit@(\w+)/g)).toEqual(services.filter((name) => name.startsWith("rabbitmq")));
  const volumes = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(":")[0] ?? ""));
  for (const volume of volumes)
    if (volume.startsWith("./")) expect(await Bun.file(join(root, volume)).exists()).toBe(true);
    else expect(Object.keys(compose.volumes)).toContain(volume);
});

test("the manifests of Kubernetes give each process variables that the service takes", async () => {
  const manifests = Bun.YAML.parse(await read("deploy/cluster/kubernetes.yaml")) as {
    kind: string;
    stringData?: Environment;
    spec?: { template?: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
  }[];
  const secret = manifests.find(({ kind }) => kind === "Secret")?.stringData ?? {};
  const deployments = manifests.filter(({ kind }) => kind === "Deployment");
  expect(deployments).toHaveLength(2);
  for (const { spec } of deployments)
    for (const { env } of spec?.template?.spec.containers ?? []) {
      const own = Object.fromEntries(env.map(({ name, value }) => [name, value]));
      const environment = { HOST: "0.0.0.0", ...secret, ...own };
      expect(readConfig({ isTerminal: false, environment })).toMatchObject({
        database: { engine: "postgres" },
        rabbitmq: { queueType: "quorum" },
      });
    }
});
