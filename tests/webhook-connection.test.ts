// Addresses that a delivery connects to, and certificates that it trusts.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import tls from "node:tls";
import { certificateFor } from "./support/certificate";
import { deliverTo, errorOf, rawServer, receiver, stopServers } from "./support/delivery";
import type { Receiver } from "./support/receiver";

// A busy machine may take its time; what hangs still ends.
setDefaultTimeout(20_000);
afterEach(stopServers);

/** Linux has all of 127.0.0.0/8; elsewhere the second address has to be made first: `ifconfig lo0 alias 127.0.0.2`. */
const describeWithTwoAddresses = listensOn("127.0.0.2") ? describe : describe.skip;

describeWithTwoAddresses("the host name", () => {
  test("is resolved once, and the connection goes to that address and to no other", async () => {
    const inside = receiver({ hostname: "127.0.0.1" });
    const pinned = receiver({ hostname: "127.0.0.2", port: inside.port });
    let asked = 0;
    // As a rebinding name server does: another address each time.
    const resolve = async () => [["127.0.0.2"], ["127.0.0.1"]][asked++] ?? [];
    expect(await deliverTo(`http://localhost:${inside.port}/`, {}, { resolve })).toBe("delivered");
    expect(asked).toBe(1);
    expect([pinned.received.length, inside.received.length]).toEqual([1, 0]);
    expect(pinned.received[0]?.headers.get("host")).toBe(`localhost:${inside.port}`);
  });

  test("is resolved anew for the next delivery, and a kept connection to the old address is not used", async () => {
    const first = receiver({ hostname: "127.0.0.1" });
    const second = receiver({ hostname: "127.0.0.2", port: first.port });
    const url = `http://crm.example.com:${first.port}/`;
    await deliverTo(url, {}, { resolve: async () => ["127.0.0.1"] });
    await deliverTo(url, {}, { resolve: async () => ["127.0.0.2"] });
    await deliverTo(url, {}, { resolve: async () => ["127.0.0.1"] });
    expect([first.received.length, second.received.length]).toEqual([2, 1]);
  });

  test("that resolves to loopback is refused, and nothing is connected to", async () => {
    const inside = receiver();
    const error = await errorOf(deliverTo(`http://localhost:${inside.port}/`, { allowNetworks: [] }));
    expect(error.message).toContain("not on the internet; to allow it, add its network to allowNetworks");
    expect(inside.received).toHaveLength(0);
  });

  test("with several addresses is reached at the first that can be", async () => {
    const second = receiver({ hostname: "127.0.0.2" });
    expect(await deliverTo(`http://crm.example.com:${second.port}/`, {}, { resolve: async () => ["127.0.0.3", "127.0.0.2"] })).toBe(
      "delivered",
    );
    expect(second.received).toHaveLength(1);
  });

  test("that has several addresses: the event goes to one of them only, whatever that does with it", async () => {
    const first = new URL(rawServer((socket) => socket.terminate()));
    const other = receiver({ hostname: "127.0.0.2", port: Number(first.port) });
    const resolve = async () => ["127.0.0.1", "127.0.0.2"];
    expect((await errorOf(deliverTo(`http://crm.example.com:${first.port}/`, {}, { resolve }))).message).toContain("ECONNRESET");
    expect(other.received).toHaveLength(0);
  });

  test("that no server answers for in time counts against the time limit", async () => {
    const resolve = () => new Promise<string[]>(() => {});
    expect((await errorOf(deliverTo("http://crm.example.com/", { timeoutMs: 200 }, { resolve }))).message).toBe(
      "crm.example.com: no response within 200 ms",
    );
  });

  test("that does not exist is said", async () => {
    const resolve = () => Promise.reject(new Error("getaddrinfo ENOTFOUND"));
    expect((await errorOf(deliverTo("http://crm.example.com/", {}, { resolve }))).message).toBe("crm.example.com: getaddrinfo ENOTFOUND");
  });
});

describeWithTwoAddresses("TLS", () => {
  const own = certificateFor("crm.example.com");
  const others = certificateFor("search.example.com");
  const stranger = certificateFor("crm.example.com");
  const before = tls.getCACertificates("default");
  beforeAll(() => tls.setDefaultCACertificates([...before, own.cert, others.cert]));
  afterAll(() => tls.setDefaultCACertificates(before));
  const sendTo = (server: Receiver, hostname = "127.0.0.2") =>
    deliverTo(`https://crm.example.com:${server.port}/`, {}, { resolve: async () => [hostname] });

  test("verifies the host name while the connection goes to the address that was checked", async () => {
    const crm = receiver({ hostname: "127.0.0.2", tls: own });
    expect(await sendTo(crm)).toBe("delivered");
    expect(crm.received[0]?.trouble).toBeNull();
  });

  test("a certificate for another name is refused, though it is trusted", async () => {
    const crm = receiver({ hostname: "127.0.0.2", tls: others });
    expect((await errorOf(sendTo(crm))).message).toContain("does not match certificate's altnames");
    expect(crm.received).toHaveLength(0);
  });

  test("a kept connection to one name is not used for another on the same address", async () => {
    const shared = receiver({ hostname: "127.0.0.2", tls: others });
    const toSearch = () => deliverTo(`https://search.example.com:${shared.port}/`, {}, { resolve: async () => ["127.0.0.2"] });
    expect(await toSearch()).toBe("delivered");
    expect((await errorOf(sendTo(shared))).message).toContain("does not match certificate's altnames");
    expect(await toSearch()).toBe("delivered");
  });

  test("a certificate that nobody vouches for is refused, whatever NODE_TLS_REJECT_UNAUTHORIZED says", async () => {
    const crm = receiver({ hostname: "127.0.0.2", tls: stranger });
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      expect((await errorOf(sendTo(crm))).message).toMatch(/self.signed certificate/);
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
    expect(crm.received).toHaveLength(0);
  });

  test("a server without TLS is refused", async () => {
    const crm = receiver({ hostname: "127.0.0.2" });
    expect((await errorOf(sendTo(crm))).message).toContain("crm.example.com");
    expect(crm.received).toHaveLength(0);
  });
});

function listensOn(hostname: string): boolean {
  try {
    Bun.listen({ hostname, port: 0, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
