// Limits on open event streams, per client and in total.
import { expect, test } from "bun:test";
import { StreamPlaces } from "../src/feed/stream-places";

function taken(places: StreamPlaces, address: string | null, count: number) {
  return Array.from({ length: count }, () => places.take(address));
}
const refused = (answers: readonly unknown[]) => answers.filter((answer) => typeof answer === "string").length;

test.each(["192.0.2.1", "2001:db8:1:2::1", null])("100 for one client (%s), who gets a place again when one is given back", (address) => {
  const places = new StreamPlaces();
  const [first, ...others] = taken(places, address, 100);
  expect(refused([first, ...others])).toBe(0);
  expect(places.take(address)).toBe("This client already has 100 open streams, the maximum per client.");
  (first as () => void)();
  expect(places.take(address)).toBeFunction();
  expect(places.take(address)).toBeString();
});

test("another client has places of its own; one with many addresses has not", () => {
  const places = new StreamPlaces();
  taken(places, "2001:db8:1:2::1", 100);
  expect(places.take("2001:db8:1:2:ffff::1")).toBeString();
  expect(places.take("2001:db8:1:3::1")).toBeFunction();
  taken(places, "192.0.2.1", 100);
  expect(places.take("::ffff:192.0.2.1")).toBeString();
});

test.each(["127.0.0.1", "::1", "::ffff:127.0.0.1"])("on this machine (%s): as many as there are in all, 5,000", (address) => {
  const places = new StreamPlaces(5000);
  const answers = taken(places, address, 5000);
  expect(refused(answers)).toBe(0);
  expect(places.take(address)).toBe("The service already has 5000 open streams, its maximum.");
  expect(places.take("192.0.2.1")).toBeString();
  (answers[0] as () => void)();
  expect(places.take("192.0.2.1")).toBeFunction();
});
