// Creates X.509 certificates for tests without an external program.
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4 } from "node:net";

const der = (tag: number, ...parts: (Uint8Array | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const utcTime = (time: Date) => der(0x17, `${time.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`);

const commonName = oid("550403");
const basicConstraints = oid("551d13");
const subjectAltName = oid("551d11");
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
const dayMs = 86_400_000;

const nameOf = (text: string) => sequence(der(0x31, sequence(commonName, der(0x0c, text))));
const extension = (id: Buffer, content: Buffer) => sequence(id, der(0x04, content));
const authorityOnly = extension(basicConstraints, sequence(der(0x01, Buffer.from([0xff]))));
const namesOf = (names: readonly string[]) =>
  extension(
    subjectAltName,
    sequence(...names.map((each) => (isIPv4(each) ? der(0x87, Buffer.from(each.split(".").map(Number))) : der(0x82, each)))),
  );

/** Certificate and private key in PEM format. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Authority {
  readonly name: string;
  readonly key: KeyObject;
}

/** Creates a self-signed certificate for these host names and IPv4 addresses, valid until tomorrow. */
export function certificateFor(...names: string[]): Certificate {
  return certify("Warren test", namesOf(names));
}

/**
 * Creates a certificate authority. Its certificates for host names and IPv4 addresses are valid from two days ago until `days` from now.
 */
export function certificateAuthority(): { cert: string; issue(names: readonly string[], days?: number): Certificate } {
  const name = "Warren test authority";
  const { cert, key } = certify(name, authorityOnly);
  const authority = { name, key: createPrivateKey(key) };
  return { cert, issue: (names, days = 1) => certify("Warren test", namesOf(names), days, authority) };
}

function certify(subject: string, extensions: Buffer, days = 1, authority?: Authority): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...crypto.getRandomValues(new Uint8Array(8))])),
    ecdsaWithSha256,
    nameOf(authority?.name ?? subject),
    sequence(utcTime(new Date(now - 2 * dayMs)), utcTime(new Date(now + days * dayMs))),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(extensions)),
  );
  const signature = sign("sha256", toSign, authority?.key ?? privateKey);
  const certificate = sequence(toSign, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").replace(/.{1,64}/g, "$&\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
