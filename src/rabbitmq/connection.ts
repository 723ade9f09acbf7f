import type { Channel, ChannelModel, ConfirmChannel, RecoveringChannelModel } from "amqplib";
import type { RabbitmqConfig } from "../config/rabbitmq";
import type { BrokerState } from "../delivery/broker-state";
import { type Log, messageOf } from "../observe/logging";
import { atMost, pause } from "../timing/pause";
import { closeChannel, closedSignal } from "./channel";
import { ConfirmDeadline } from "./confirm-deadline";
import { joinWrites } from "./joined-writes";
import { encodeMessages } from "./message-frames";
import { Nodes } from "./nodes";
import { Places } from "./places";
import { socketOptions } from "./socket-options";
import { surviveUndecodableHeaders } from "./undecodable";

export type { ConfirmChannel, ConsumeMessage, Message, Options, Replies } from "amqplib";

const longestPauseMs = 5_000;

/** Loaded on demand: it slows down startup, and a process without a broker does not need it. */
export const loadAmqplib = () => import("amqplib");

/** Connection of this process to RabbitMQ. It reconnects automatically, without limit. */
export class Broker {
  #state: BrokerState = "connecting";
  #fault: Error | undefined;
  /** Why this process closes the connection to try another node. */
  #leaving: Error | undefined;
  #connections = 0;
  #blockedMs = 0;
  #blockedSince: number | undefined;
  readonly #stopping = new AbortController();
  /** Aborts at the end of {@link close}. */
  readonly #left = new AbortController();
  readonly #channels = new Map<Channel, AbortSignal>();
  #closing: Promise<void> | undefined;
  readonly #places = new Places();
  readonly #confirmPlaces = new Places();
  #model: ChannelModel | undefined;
  readonly #deadline: ConfirmDeadline | undefined;

  private constructor(
    readonly config: Pick<RabbitmqConfig, "shown" | "queueType" | "user">,
    readonly nodes: Nodes,
    readonly connection: RecoveringChannelModel,
    readonly log: Log,
  ) {
    connection.on("connect", (model: ChannelModel) => {
      this.#model = model;
      this.#state = "connected";
      this.#connections += 1;
      this.#fault = undefined;
      nodes.connected();
      log.info({ broker: nodes.shown }, "Connected to RabbitMQ");
    });
    connection.on("disconnect", (error: Error) => this.#down("Lost the connection to RabbitMQ; retrying", error));
    connection.on("connect-failed", (error: Error) => this.#down("Cannot reach RabbitMQ; retrying", error));
    connection.on("error", (error: Error) => {
      this.#fault = error;
      log.debug({ broker: nodes.shown, error: messageOf(error) }, "RabbitMQ connection error");
    });
    connection.on("blocked", (reason: string) => {
      this.#state = "blocked";
      this.#blockedSince ??= performance.now();
      log.warn({ broker: nodes.shown, reason }, "RabbitMQ does not accept messages now (a memory or disk alarm); waiting until it does");
    });
    connection.on("unblocked", () => {
      this.#state = "connected";
      this.#unblock();
      log.info({ broker: nodes.shown }, "RabbitMQ accepts messages again");
    });
    // With one node, another connection would not help.
    if (nodes.count > 1) {
      const isBlocked = () => this.#state === "blocked";
      this.#deadline = new ConfirmDeadline(isBlocked, (waitedMs) =>
        this.#leave(`it has confirmed nothing for ${Math.round(waitedMs / 1000)} s`),
      );
    }
  }

  /**
   * Starts to connect and resolves without waiting for the connection.
   *
   * @param options.expected False if RabbitMQ is optional: a failure to connect is then not logged as a warning.
   */
  static async connect(config: RabbitmqConfig, log: Log, options = { expected: true }): Promise<Broker> {
    const { connect } = await loadAmqplib();
    const nodes = new Nodes(config.urls, !options.expected);
    const connection = await connect(nodes.address, {
      ...socketOptions(config),
      recovery: {
        waitForConnect: false,
        calculateDelay: () => nodes.pauseMs,
        setup: async ({ connection }: ChannelModel) => {
          surviveUndecodableHeaders(connection);
          joinWrites(connection);
          encodeMessages(connection);
        },
      },
    });
    return new Broker(config, nodes, connection, log);
  }

  /** The address of the broker, without user and password. */
  get shown(): string {
    return this.config.shown;
  }

  /** Host and port of the connected node. Null while none is connected. */
  get node(): string | null {
    return this.#state === "connected" || this.#state === "blocked" ? this.nodes.place : null;
  }

  get queueType(): RabbitmqConfig["queueType"] {
    return this.config.queueType;
  }

  /** User name of this connection. */
  get user(): string {
    return this.config.user;
  }

  get state(): BrokerState {
    return this.#state;
  }

  /** Why no node can be reached. Undefined while one is connected or not tried yet. */
  get lastError(): string | undefined {
    return this.nodes.trouble;
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
        this.#deadline?.watch(channel, closed);
        const openedAt = performance.now();
        try {
          await use(channel, closed);
          // A channel that closes right after it was opened counts as a failure. Otherwise this loop would never pause.
          failures = performance.now() - openedAt > longestPauseMs ? 0 : failures + 1;
          if (failures === 0) warning = undefined;
        } finally {
          // After a broker that has stopped answering was left, no channel closes any more.
          await closeChannel(channel, AbortSignal.any([closed, this.#left.signal]));
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
    this.#deadline?.stop();
    this.#closing = atMost(timeoutMs, this.#closeAll()).finally(() => this.#left.abort());
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

  /** Leaves a node that is of no use, although it keeps the connection. */
  #leave(why: string): void {
    this.#leaving = new Error(why);
    void this.#model?.close().catch(() => {});
  }

  #down(what: string, failure: Error): void {
    this.#unblock();
    this.#model = undefined;
    if (this.#state !== "closed") this.#state = "connecting";
    const { shown } = this.nodes;
    const { error, isKnown } = this.nodes.failed(this.#leaving ?? failure);
    this.#leaving = undefined;
    this.log[isKnown ? "debug" : "warn"]({ broker: shown, error }, what);
  }
}

function pauseMsAfter(failures: number): number {
  return Math.min(longestPauseMs, 200 * 2 ** failures) * (0.5 + Math.random() / 2);
}
