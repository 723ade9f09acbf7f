// Where a consumer's command line wants its metrics, and what is said when that cannot be.
import { describe, expect, test } from "bun:test";
import { ConsumerError } from "../src/delivery/consumer-options";
import { metricsAddress } from "../src/delivery/metrics-server";

describe("a command line asks for metrics", () => {
  test.each([
    [[], undefined],
    [["--events", "item.created", "--json"], undefined],
    [["--metrics-port", "9464"], { hostname: "127.0.0.1", port: 9464 }],
    [["--events", "item.created", "--metrics-port=0", "--json"], { hostname: "127.0.0.1", port: 0 }],
    [["--metrics-host", "0.0.0.0", "--metrics-port", "65535"], { hostname: "0.0.0.0", port: 65_535 }],
  ] as const)("%j", (words, address) => {
    expect(metricsAddress(words)).toEqual(address);
  });

  test.each([
    [["--metrics-port"], /^--metrics-port: use a whole number from 0/],
    [["--metrics-port", "--json"], /^--metrics-port --json: use/],
    [["--metrics-port", "65536"], /^--metrics-port 65536: use/],
    [["--metrics-port", "http"], /^--metrics-port http: use/],
    [["--metrics-port=-1"], /^--metrics-port -1: use/],
    [["--metrics-host", "0.0.0.0"], /^--metrics-port: use/],
    [["--metrics-port", "9464", "--metrics-host"], /^--metrics-host: name an address/],
  ] as const)("%j says what is wrong", (words, message) => {
    expect(() => metricsAddress(words)).toThrow(ConsumerError);
    expect(() => metricsAddress(words)).toThrow(message);
  });
});
