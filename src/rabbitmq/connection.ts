import type { Channel, ChannelModel, ConfirmChannel, RecoveringChannelModel } from "amqplib";
import type { RabbitmqConfig } from "../config/config";
import { redactUrl } from "../config/redact-url";
import type { BrokerState } from "../delivery/broker-state";
import { type Log, messageOf } from "../observe/logging";
import { atMost, pause } from "../timing/pause";
import { closeChannel, closedSignal } from "./channel";
import { Places } from "./places";
import { explainRefusal, tlsOptions } from "./tls";
import { surviveUndecodableHeaders } from "./undecodable";

export type { ConfirmChannel, ConsumeMessage, Message, Options, Replies } from "amqplib";

/**
 * Heartbeat interval. A dead peer is detected after two to three of them (10 to 15 s); RabbitMQ's default of 60 s could take three minutes.
 */
const heartbeatSeconds = 5;
const connectTimeoutMs = 10_000;
const longestPauseMs = 5_000;

/** Loaded on demand: it slows down startup, and a process without a broker does not need it. */
export const loadAmqplib = () => import("amqplib");

/** Connection of this process to RabbitMQ. It reconnects automatically, without limit. */
export class Broker {
  #state: BrokerState = "connecting";
  #lastError: string | undefined;
  #fault: Error | undefined;
  #warned = false;
  #refusal: string | undefined;
  #connections = 0;
  #blockedMs = 0;
  #blockedSince: number | undefined;
  readonly #stopping = new AbortController();
  readonly #channels = new Map<Channel, AbortSignal>();
  #closing: Promise<void> | undefined;
  readonly #places = new Places();
  readonly #confirmPlaces = new Places();

  private constructor(
    readonly url: string,
    readonly queueType: RabbitmqConfig["queueType"],
    readonly connection: RecoveringChannelModel,
    readonly log: Log,
    quiet: boolean,
  ) {
    this.#warned = quiet;
    connection.on("connect", () => {
      this.#state = "connected";
      this.#connections += 1;
      this.#warned = false;
      this.#refusal = undefined;
      this.#lastError = undefined;
      this.#fault = undefined;
      log.info({ broker: url }, "Connected to RabbitMQ");
    });
    connection.on("disconnect", (error: Error) => this.#down("Lost the connection to RabbitMQ; retrying", error));
    connection.on("connect-failed", (error: Error) => this.#down("Cannot reach RabbitMQ; retrying", error));
    connection.on("error", (error: Error) => {
      this.#fault = error;
      log.debug({ broker: url, error: messageOf(error) }, "RabbitMQ connection error");
    });
    connection.on("blocked", (reason: string) => {
      this.#state = "blocked";
      this.#blockedSince ??= performance.now();
      log.warn({ broker: url, reason }, "RabbitMQ does not accept messages now (a memory or disk alarm); waiting until it does");
    });
    connection.on("unblocked", () => {
      this.#state = "connected";
      this.#unblock();
      log.info({ broker: url }, "RabbitMQ accepts messages again");
    });
  }

  /**
   * Starts to connect and resolves without waiting for the connection.
   *
   * @param options.expected False if RabbitMQ is optional: a failure to connect is then not logged as a warning.
   */
  static async connect(config: RabbitmqConfig, log: Log, options = { expected: true }): Promise<Broker> {
    const { connect } = await loadAmqplib();
    const connection = await connect(withHeartbeat(config.url), {
      ...socketOptions(config),
      recovery: {
        waitForConnect: false,
        initialDelay: 200,
        maxDelay: longestPauseMs,
        factor: 2,
        jitter: 0.3,
        setup: async (model: ChannelModel) => surviveUndecodableHeaders(model.connection),
      },
    });
    return new Broker(redactUrl(config.url), config.queueType, connection, log, !options.expected);
  }

  get state(): BrokerState {
    return this.#state;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Number of times the connection was restored after it was lost. */
  get reconnects(): number {
    return Math.max(0, this.#connections - 1);
  }

  /** Total time, in seconds, that the connected broker blocked publishers. */
  get blockedSeconds(): number {
    const now = this.#blockedSince === undefined ? 0 : performance.now() - this.#blockedSince;
    return (this.#blockedMs + now) / 1000;
  }

  /**
   * Keeps one confirm channel open until the broker is closed or `stop` aborts. Opens it and passes it to `use`; repeats this whenever the
   * channel closes or `use` fails.
   *
   * @param use Works with the channel. Resolves when it no longer needs the channel or `closed` aborts.
   */
  async keepChannel(use: (channel: ConfirmChannel, closed: AbortSignal) => Promise<void>, stop?: AbortSignal): Promise<void> {
    await this.#reopen(use, stop);
    // Wait for a close in progress, so that a process that exits after this has closed its connection.
    await this.#closing;
  }

  async #reopen(use: (channel: ConfirmChannel, closed: AbortSignal) => Promise<void>, stop?: AbortSignal): Promise<void> {
    let failures = 0;
    let warning: string | undefined;
    const ended = () => this.#stopping.signal.aborted || stop?.aborted;
    while (!ended()) {
      try {
        const channel = await this.connection.createConfirmChannel();
        const closed = this.#closed(channel, (error) => this.log.warn({ error: error.message }, "RabbitMQ closed a channel; reopening it"));
        this.#channels.set(channel, closed);
        const openedAt = performance.now();
        try {
          await use(channel, closed);
          // A channel that closes right after it was opened counts as a failure. Otherwise this loop would never pause.
          failures = performance.now() - openedAt > longestPauseMs ? 0 : failures + 1;
          if (failures === 0) warning = undefined;
        } finally {
          await closeChannel(channel, closed);
          this.#channels.delete(channel);
        }
      } catch (error) {
        if (ended()) return;
        failures += 1;
        // One warning for one reason, however often it is tried; that the connection is lost has a warning of its own.
        const known = this.#state === "connecting" || warning === messageOf(error);
        warning = messageOf(error);
        this.log[known ? "debug" : "warn"]({ error: warning }, "Cannot set up a RabbitMQ channel; retrying");
      }
      if (!ended() && failures > 0) await pause(pauseMsAfter(failures), this.#stopping.signal);
    }
  }

  /** Runs `use` on its own channel, so that an error that closes the channel affects no other. */
  withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    return this.#places.run(async () => this.#useAndClose(await this.connection.createChannel(), use));
  }

  /** Same as {@link withChannel}, with publisher confirms. `closed` aborts when the channel closes. */
  withConfirmChannel<T>(use: (channel: ConfirmChannel, closed: AbortSignal) => Promise<T>): Promise<T> {
    return this.#confirmPlaces.run(async () => this.#useAndClose(await this.connection.createConfirmChannel(), use));
  }

  /** Closes the channels, then the connection. Waits at most `timeoutMs` milliseconds. */
  close(timeoutMs = 2000): Promise<void> {
    this.#stopping.abort();
    this.#state = "closed";
    this.#closing = atMost(timeoutMs, this.#closeAll());
    return this.#closing;
  }

  /** Closes the channels first: closing the connection discards what its channels have yet to send, such as the last acks. */
  async #closeAll(): Promise<void> {
    await Promise.all([...this.#channels].map(([channel, closed]) => closeChannel(channel, closed)));
    await this.connection.close();
  }

  #closed(channel: Channel, onError: (error: Error) => void = () => {}): AbortSignal {
    return closedSignal(channel, onError, () => this.#fault);
  }

  async #useAndClose<Opened extends Channel, T>(channel: Opened, use: (channel: Opened, closed: AbortSignal) => Promise<T>): Promise<T> {
    const closed = this.#closed(channel);
    try {
      return await use(channel, closed);
    } finally {
      await closeChannel(channel, closed);
    }
  }

  #unblock(): void {
    if (this.#blockedSince !== undefined) this.#blockedMs += performance.now() - this.#blockedSince;
    this.#blockedSince = undefined;
  }

  #down(what: string, error: Error): void {
    this.#unblock();
    if (this.#state !== "closed") this.#state = "connecting";
    this.#lastError = explain(error);
    const refusal = explainRefusal(error);
    // Warn once per outage, and once per refusal, which retrying cannot fix.
    const known = refusal === undefined ? this.#warned : this.#refusal === refusal;
    this.log[known ? "debug" : "warn"]({ broker: this.url, error: this.#lastError }, what);
    this.#warned = true;
    this.#refusal = refusal ?? this.#refusal;
  }
}

/** Adds the likely cause to a refused virtual host: amqplib reports only which frame it expected. */
export function explain(error: unknown): string {
  const refusal = explainRefusal(error);
  if (refusal !== undefined) return refusal;
  const message = messageOf(error);
  if (!message.startsWith("Expected ConnectionOpenOk")) return message;
  return `the virtual host of the URL does not exist, or the user has no access to it (${message})`;
}

export function withHeartbeat(url: string): string {
  if (new URL(url).searchParams.has("heartbeat")) return url;
  return `${url}${url.includes("?") ? "&" : "?"}heartbeat=${heartbeatSeconds}`;
}

export function socketOptions(config: RabbitmqConfig) {
  return { timeout: connectTimeoutMs, noDelay: true, keepAlive: true, ...tlsOptions(config) };
}

function pauseMsAfter(failures: number): number {
  return Math.min(longestPauseMs, 200 * 2 ** failures) * (0.5 + Math.random() / 2);
}
