import { afterEach, beforeEach } from "bun:test";
import { type Api, endAll, environment, startApi } from "./processes";
import { type QueueConsumers, queueConsumers } from "./queue-consumer";
import { useFolder } from "./use-folder";

/** Gives each test of a file a folder, an API and consumers. After the test, ends its programs. */
export function useSystem() {
  const folder = useFolder();
  const env: Record<string, string> = {};
  let consumers: QueueConsumers;
  let api: Api;
  return {
    folder,
    /** Environment of the programs of this test. */
    env,
    /** Sets the broker of the tests of a block, or `none`. Call it before the block's own `afterEach`. */
    runOn(rabbitmqUrl: () => string): void {
      beforeEach(async () => {
        for (const name of Object.keys(env)) delete env[name];
        Object.assign(env, environment(folder.path, rabbitmqUrl()));
        consumers = await queueConsumers(env);
      });
      afterEach(async () => {
        await endAll();
        consumers.remove();
      });
    },
    consumers: {
      start: (options) => consumers.start(options),
      spawn: (options) => consumers.spawn(options),
      fails: (names) => consumers.fails(names),
      works: () => consumers.works(),
    } satisfies Omit<QueueConsumers, "remove">,
    api: {
      /** Resolves when the API listens and, unless the broker is `none`, is connected. */
      async start(): Promise<void> {
        api = await startApi({ env });
        if (env["RABBITMQ_URL"] !== "none") await api.line("Connected to RabbitMQ");
      },
      get url() {
        return api.url;
      },
      line: (text: string) => api.line(text),
      stop: (signal?: NodeJS.Signals) => api.stop(signal),
    },
  };
}
