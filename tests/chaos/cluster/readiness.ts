interface Readiness {
  readonly status: string;
  /** True if this process sends the events to RabbitMQ. */
  readonly relay: boolean;
  readonly backlog: { readonly events: number } | null;
}

/** Resolves with the readiness of a process of the API, or with undefined if it does not respond. */
export async function readinessOf(url: string): Promise<Readiness | undefined> {
  const response = await fetch(`${url}/health/ready`, { keepalive: false, signal: AbortSignal.timeout(3000) }).catch(() => undefined);
  return (await response?.json().catch(() => undefined)) as Readiness | undefined;
}
