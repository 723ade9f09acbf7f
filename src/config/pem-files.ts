import type { KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { exposureOf } from "./secret-file";
import type { ReadText, ReadVariable } from "./variable";

interface PemFiles {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/**
 * Reads the environment variables that name the PEM files for `amqps://`, and checks the files.
 *
 * @param mistakes receives mistakes about the key's permissions and about files that do not belong together.
 */
export function readPemFiles(read: ReadText, variable: ReadVariable, mistakes: string[]): PemFiles {
  const pemFile = (name: string, what: string, parse: (pem: Buffer) => unknown) =>
    variable<string | null>(
      name,
      null,
      (path) => readable(path, parse),
      `cannot read a ${what} from this file; use the path of a PEM file`,
    );

  const caFile = pemFile("RABBITMQ_CA_FILE", "certificate", certificateIn);
  const certFile = pemFile("RABBITMQ_CERT_FILE", "certificate", certificateIn);
  const keyFile = pemFile("RABBITMQ_KEY_FILE", "private key without a passphrase", keyIn);
  const exposure = keyFile === null ? undefined : exposureOf(keyFile);
  if (exposure !== undefined) mistakes.push(`RABBITMQ_KEY_FILE=${keyFile}: ${exposure}.`);
  if (Boolean(read("RABBITMQ_CERT_FILE")) !== Boolean(read("RABBITMQ_KEY_FILE"))) {
    mistakes.push("RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE require each other. Set both or neither.");
  } else if (certFile && keyFile && !belongTogether(certFile, keyFile)) {
    mistakes.push("The key in RABBITMQ_KEY_FILE does not match the certificate in RABBITMQ_CERT_FILE.");
  }
  return { caFile, certFile, keyFile };
}

/** Returns whether a file can be read and holds a certificate in PEM format. */
export function holdsCertificate(path: string): boolean {
  return readable(path, certificateIn) !== undefined;
}

/** Returns whether a file can be read and holds a private key in PEM format without a passphrase. */
export function holdsKey(path: string): boolean {
  return readable(path, keyIn) !== undefined;
}

function readable(path: string, parse: (pem: Buffer) => unknown): string | undefined {
  try {
    parse(readFileSync(path));
    return path;
  } catch {
    return undefined;
  }
}

/** Loads `node:crypto` on first use. Most services have no such files, and loading it slows down the start. */
const nodeCrypto = () => require("node:crypto") as typeof import("node:crypto");

function certificateIn(pem: Buffer): X509Certificate {
  const { X509Certificate } = nodeCrypto();
  return new X509Certificate(pem);
}

const keyIn = (pem: Buffer): KeyObject => nodeCrypto().createPrivateKey(pem);

/** Returns whether the key in one file is the one of the certificate in another. */
export function belongTogether(certFile: string, keyFile: string): boolean {
  return certificateIn(readFileSync(certFile)).checkPrivateKey(keyIn(readFileSync(keyFile)));
}
