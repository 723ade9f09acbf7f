import { join } from "node:path";
import type { Certificate } from "./certificate";
import type { OwnRabbit } from "./rabbit";

export interface TlsPort {
  readonly port: number;
  readonly certificate: Certificate;
  /** PEM of the authority for required client certificates. Default: none are required. */
  readonly clientAuthority?: string;
}

/**
 * Opens ports with TLS on a running RabbitMQ.
 *
 * @param folder Folder in which RabbitMQ finds the certificates.
 * @returns A function that replaces the certificate of a port, as a renewal does.
 */
export async function openTlsPorts(
  rabbit: OwnRabbit,
  folder: string,
  ports: readonly TlsPort[],
): Promise<(port: number, certificate: Certificate) => Promise<void>> {
  const path = (port: number, what: string) => join(folder, `${port}-${what}.pem`);
  const write = (port: number, { cert, key }: Certificate) =>
    Promise.all([Bun.write(path(port, "cert"), cert), Bun.write(path(port, "key"), key)]);
  const starts = await Promise.all(
    ports.map(async ({ port, certificate, clientAuthority }) => {
      await write(port, certificate);
      if (clientAuthority) await Bun.write(path(port, "ca"), clientAuthority);
      const demand = clientAuthority && `, {cacertfile, "${path(port, "ca")}"}, {verify, verify_peer}, {fail_if_no_peer_cert, true}`;
      const settings = `{certfile, "${path(port, "cert")}"}, {keyfile, "${path(port, "key")}"}${demand ?? ""}`;
      return `ok = rabbit_networking:start_ssl_listener({"127.0.0.1", ${port}, inet}, [${settings}], 2)`;
    }),
  );
  await rabbit.evaluate(starts.join(", "));
  return async (port, certificate) => {
    await write(port, certificate);
    await rabbit.evaluate("ssl:clear_pem_cache()");
  };
}
