// bun run doctor on a real RabbitMQ: what it finds there, and while RabbitMQ accepts nothing or is away.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "amqplib";
import type { Finding } from "../../src/commands/doctor/finding";
import { command } from "../support/command";
import { freePort } from "../support/net";
import { environment, run, startApi } from "../support/processes";
import { bindingsIn, describeWithRabbit, messagesIn, useOwnRabbit } from "../support/rabbit";
import { useFolder } from "../support/use-folder";

// A broker takes its time on a busy machine; what hangs still ends.
setDefaultTimeout(120_000);

describeWithRabbit("on RabbitMQ", () => {
  const managementPort = freePort();
  const rabbit = useOwnRabbit({ managementPort });
  const folder = useFolder();
  let env: Record<string, string>;
  beforeEach(() => {
    env = environment(folder.path, rabbit().url);
  });

  async function doctor(): Promise<{ code: number; problems: Finding[]; messageOf(check: string): string | undefined }> {
    const { code, stdout, stderr } = await command("doctor", ["--json"], env);
    expect(stderr).toBe("");
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const problems = findings.filter(({ state }) => state !== "ok");
    return { code, problems, messageOf: (check) => findings.find((finding) => finding.check === check)?.message };
  }

  test("its version, its clock, and queues without a consumer or with unsafe arguments; nothing changes there", async () => {
    const connection = await connect(rabbit().url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("audit", { durable: true, arguments: { "x-max-length": 5 } });
    env["RABBITMQ_MANAGEMENT_URL"] = `http://guest:guest@127.0.0.1:${managementPort}`;
    const api = await startApi({ env });
    await api.line("Connected to RabbitMQ");
    const audit = run(["consumers/audit.ts"], { env });
    await audit.line("The audit is running");
    const fine = await doctor();
    expect(fine.messageOf("broker")).toMatch(/^RabbitMQ \d+\.\d+\.\d+ on Erlang\/OTP .* at amqp:.* accepts messages$/);
    expect(fine.messageOf("clock")).toBe("agrees with RabbitMQ");
    expect([fine.code, fine.problems.map(({ check, state }) => `${check}: ${state}`)]).toEqual([1, ["queue setup: error"]]);
    expect(fine.problems[0]?.message).toContain("x-max-length");

    await audit.stop();
    channel.sendToQueue("audit", Buffer.from("{}"));
    await channel.waitForConfirms();
    await connection.close();
    const before = [await messagesIn(rabbit()), await bindingsIn(rabbit())];
    const { problems } = await doctor();
    expect(problems.map(({ check, state }) => `${check}: ${state}`)).toEqual(["queue setup: error", "consumers: warning"]);
    expect([await messagesIn(rabbit()), await bindingsIn(rabbit())]).toEqual(before);
    await api.stop();
  });

  test("an alarm, and no RabbitMQ at all", async () => {
    await rabbit().evaluate("rabbit_alarm:set_alarm({{resource_limit, disk, node()}, []})");
    try {
      const { code, problems } = await doctor();
      expect([code, problems[0]]).toMatchObject([1, { check: "broker", state: "error" }]);
      expect(problems[0]?.message).toMatch(/accepts no messages: .*disk/);
    } finally {
      await rabbit().evaluate("rabbit_alarm:clear_alarm({resource_limit, disk, node()})");
    }
    await rabbit().kill();
    try {
      const { code, problems } = await doctor();
      expect([code, problems.map(({ check, state }) => `${check}: ${state}`)]).toEqual([1, ["broker: error", "queues: warning"]]);
    } finally {
      await rabbit().start();
    }
  });
});
