import { expect, test } from "bun:test";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { Reject } from "warren/consumer";
import { signedHeaders } from "../src/webhook/deliver";
import { anyText, itemEvent } from "./support/arbitrary";
import { newSecret } from "./support/receiver";

const id = "019ab790-8c6e-7000-a9c7-a7d37be9ec58";

test("a body is signed as the specification's own example has it", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const headers = signedHeaders("msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', [secret], new Date(1_614_265_330_000));
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("any event verifies with the subscriber's library, and with no other secret", () => {
  const [secret, other] = [newSecret(), newSecret()];
  fc.assert(
    fc.property(itemEvent, anyText({ maxLength: 100 }), (event, name) => {
      const body = JSON.stringify({ ...event, item: { id: 1, name } });
      const headers = signedHeaders(event.id, body, [secret]);
      expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      expect(() => new Webhook(other).verify(body, headers)).toThrow("No matching signature");
      expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow("No matching signature");
    }),
  );
});

test("while a secret is replaced, old and new verify", () => {
  const secrets = [newSecret(), newSecret()];
  const headers = signedHeaders(id, "{}", secrets);
  for (const secret of secrets) expect(new Webhook(secret).verify("{}", headers)).toEqual({});
});

test("an id that could be taken for another part of what is signed, or for another header, is rejected", () => {
  for (const bad of ["a.b", "", "a b", "a\r\nx-admin: 1", "é"]) expect(() => signedHeaders(bad, "{}", [newSecret()])).toThrow(Reject);
});
