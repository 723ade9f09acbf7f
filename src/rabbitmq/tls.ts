import { readFileSync } from "node:fs";
import type { RabbitmqConfig } from "../config/rabbitmq";

/**
 * Returns the TLS options of a connection. They always verify RabbitMQ's certificate and that it is for the URL's host; no setting disables
 * this.
 */
export function tlsOptions({ caFile, certFile, keyFile }: RabbitmqConfig) {
  return {
    // Set explicitly; otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would disable verification.
    rejectUnauthorized: true,
    ...(caFile && { ca: [readFileSync(caFile)] }),
    ...(certFile && { cert: readFileSync(certFile) }),
    ...(keyFile && { key: readFileSync(keyFile) }),
  };
}

/** OpenSSL's error names (verify(1), and the alerts of RFC 8446, section 6.2), with an explanation and a fix for each. */
const refusals: readonly (readonly [RegExp, (message: string) => string])[] = [
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED)$/,
    (message) =>
      `the certificate of RabbitMQ is not from a trusted authority (${message}); set RABBITMQ_CA_FILE to the certificate of the authority that signed it`,
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    (message) =>
      `the certificate of RabbitMQ is for another host (${message.replace("Hostname/IP does not match certificate's altnames: ", "")}); use a host name in RABBITMQ_URL that the certificate names`,
  ],
  [/^CERT_HAS_EXPIRED$/, () => "the certificate of RabbitMQ, or that of its authority, has expired; renew it"],
  [/^CERT_NOT_YET_VALID$/, () => "the certificate of RabbitMQ is not valid yet; compare the clocks of the two machines"],
  [
    /ALERT_CERTIFICATE_REQUIRED$|ALERT_HANDSHAKE_FAILURE$/,
    () =>
      "RabbitMQ ended the TLS handshake, probably because it requires a client certificate; set RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE",
  ],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/,
    (message) =>
      `RabbitMQ refused the client certificate (${message.replace(/^.*:/, "")}); set RABBITMQ_CERT_FILE to a valid certificate from an authority that RabbitMQ trusts`,
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    () => "the port of RABBITMQ_URL does not use TLS; RabbitMQ uses another port for amqps://, by default 5671",
  ],
];

/** Explains why a TLS connection was refused and how to fix it. Retrying does not help. Returns undefined for any other error. */
export function explainRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Connecting to a name with several addresses fails once per address.
  if (error instanceof AggregateError) return error.errors.map(explainRefusal).find(Boolean);
  const code = String((error as { code?: unknown }).code ?? "");
  return refusals.find(([pattern]) => pattern.test(code))?.[1](error.message);
}
