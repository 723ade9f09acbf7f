import { join } from "node:path";
import type { Config } from "../config/config";
import { messageOf } from "../observe/logging";
import { type ConsumerFile, openConsumerFile } from "../store/consumer/file";
import { consumersFolder } from "../store/consumer/files";
import { steadyNow } from "../timing/steady-time";
import type { Consumer } from "./consumer-options";

const expireInboxEveryMs = 600_000;

export interface LazyFile {
  /** Opens the file, or returns it if it is open. */
  open(): ConsumerFile;
  /** Opens the file that is now at the path if the open one was removed or replaced, which closes the old one. */
  renew(): ConsumerFile;
  close(): void;
}

/** Opens the consumer's file on first use. A RabbitMQ consumer without `exactlyOnce` or failures never creates one. */
export function lazyFile(consumer: Consumer, path: string, options: { durable: boolean }): LazyFile {
  let file: ConsumerFile | undefined;
  let timer: Timer | undefined;
  function open(): ConsumerFile {
    const opened = openConsumerFile(consumer.temporary ? ":memory:" : path, options);
    try {
      opened.bound(steadyNow());
      if (consumer.exactlyOnce) opened.together(() => consumer.setup(opened.transaction));
    } catch (error) {
      opened.close();
      throw error;
    }
    if (consumer.exactlyOnce) {
      const { queue, log } = consumer;
      const expire = () => {
        try {
          opened.inbox.expire(steadyNow() - consumer.inboxRetentionMs);
        } catch (error) {
          // The disk may be full, for example. Old entries that stay do no harm.
          log.warn({ queue, error: messageOf(error) }, "Old entries of the inbox could not be removed; it is tried again");
        }
      };
      expire();
      timer = setInterval(expire, Math.min(expireInboxEveryMs, consumer.inboxRetentionMs));
    }
    return opened;
  }
  function close(): void {
    clearInterval(timer);
    file?.close();
    file = undefined;
  }
  function openOnce(): ConsumerFile {
    file ??= open();
    return file;
  }
  return {
    open: openOnce,
    renew() {
      if (file?.isReplaced()) {
        const { queue, log } = consumer;
        log.error({ queue, file: path }, "The consumer's file was removed or replaced; going on with what is there now");
        close();
      }
      return openOnce();
    },
    close,
  };
}

export function fileOf(consumer: Consumer, config: Config): string {
  return join(consumersFolder(config.dataDir), `${consumer.queue}.db`);
}
