import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isPermitted, networks, permittedAddresses } from "../src/webhook/address";

const none = networks([]);

describe("an address that is not on the internet is refused", () => {
  const refused = {
    "this host": ["0.0.0.0", "0.1.2.3", "::"],
    loopback: ["127.0.0.1", "127.255.255.254", "::1"],
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
    "link-local, where clouds keep their credentials": ["169.254.169.254", "fe80::1", "febf::1", "fe80::1%eth0"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "IETF assignments": ["192.0.0.8", "2001::1", "2001:20::1", "5f00::1"],
    documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    benchmarks: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "reserved and broadcast": ["240.0.0.1", "255.255.255.255"],
    "6to4, NAT64, Teredo, IPv4-compatible: an IPv4 address in another dress": [
      "192.88.99.1",
      "2002:7f00:1::",
      "64:ff9b::127.0.0.1",
      "64:ff9b:1::a00:1",
      "::127.0.0.1",
    ],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "0:0:0:0:0:ffff:a9fe:a9fe"],
    "site-local": ["fec0::1"],
    "no address at all": ["", "example.com", "127.1", "0x7f000001", "1.2.3.4.5", "[::1]"],
  };
  for (const [kind, addresses] of Object.entries(refused)) {
    test(kind, () => {
      expect(addresses.filter((address) => isPermitted(address, none))).toEqual([]);
    });
  }

  test("any IPv4 address that is refused is refused as a mapped one", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        if (!isPermitted(address, none)) expect(isPermitted(`::ffff:${address}`, none)).toBe(false);
      }),
    );
  });

  test("their neighbours are not", () => {
    const public4 = [
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "169.253.255.255",
    ];
    const more4 = ["172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"];
    const public6 = ["2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe:ffff::1"];
    const all = [...public4, ...more4, ...public6];
    expect(all.filter((address) => isPermitted(address, none))).toEqual(all);
  });
});

describe("what the config allows", () => {
  test("is permitted, and nothing beside it", () => {
    const allowed = networks(["10.1.0.0/16", "fd00:1::/32", "192.168.1.7"]);
    expect(["10.1.2.3", "fd00:1::5", "192.168.1.7"].every((address) => isPermitted(address, allowed))).toBe(true);
    expect(["10.2.0.0", "fd00:2::5", "192.168.1.8", "127.0.0.1"].some((address) => isPermitted(address, allowed))).toBe(false);
  });

  test("text that is not a network is refused", () => {
    for (const text of ["", "localhost", "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/", "[::1]"]) {
      expect(() => networks([text])).toThrow("is not a network");
    }
  });
});

describe("a host name", () => {
  test("is asked for once, and answers what may be connected to", async () => {
    const asked: string[] = [];
    const resolve = async (hostname: string) => {
      asked.push(hostname);
      return ["127.0.0.1", "1.1.1.1", "10.0.0.1", "2606:4700::1111"];
    };
    expect(await permittedAddresses("example.com", none, resolve)).toEqual(["1.1.1.1", "2606:4700::1111"]);
    expect(asked).toEqual(["example.com"]);
  });

  test("with refused addresses only is refused, with a word on how to allow it", async () => {
    const refused = permittedAddresses("db.internal", none, async () => ["10.0.0.5", "::1"]);
    await expect(refused).rejects.toThrow(
      "db.internal resolves to 10.0.0.5, ::1, which is not on the internet; to allow it, add its network to allowNetworks",
    );
  });

  test("that is an address itself is not asked for", async () => {
    const resolve = () => Promise.reject(new Error("asked"));
    expect(await permittedAddresses("1.1.1.1", none, resolve)).toEqual(["1.1.1.1"]);
    await expect(permittedAddresses("::ffff:7f00:1", none, resolve)).rejects.toThrow("not on the internet");
  });

  test("localhost is refused with the system's own answer", async () => {
    await expect(permittedAddresses("localhost", none)).rejects.toThrow("localhost resolves to 127.0.0.1");
  });
});
