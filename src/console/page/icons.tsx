const paths = {
  overview: "M2.5 13.5h11M4.5 11V8M8 11V3.5M11.5 11V6",
  events: "M2 8h2.5L6.5 3.5l3 9L11.5 8H14",
  dead: "M8 2.2 14.2 13H1.8L8 2.2ZM8 6.5v3M8 11.2v.1",
  queues: "M2.5 4.5h11M2.5 8h11M2.5 11.5h6",
  redrive: "M3 8a5 5 0 1 0 1.6-3.7M3 2.5v2.7h2.7",
  copy: "M7 5.5h5A1.5 1.5 0 0 1 13.5 7v5a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 12V7A1.5 1.5 0 0 1 7 5.5ZM10.5 3.5v-1h-8v8h1",
  webhooks: "M6.2 9.8 9.8 6.2M7 4.2l1.2-1.2a3.2 3.2 0 0 1 4.6 4.6l-1.2 1.2M9 11.8 7.8 13a3.2 3.2 0 0 1-4.6-4.6l1.2-1.2",
  health: "M8 13.4S2.5 10.3 2.5 6.4A2.9 2.9 0 0 1 8 5a2.9 2.9 0 0 1 5.5 1.4c0 3.9-5.5 7-5.5 7Z",
  contracts: "M4 2.5h5.5L12.5 5.5V13.5H4zM6.3 9.3l1.4 1.4 2.5-2.8",
  data: "M2.5 4c0-1 2.5-1.8 5.5-1.8s5.5.8 5.5 1.8-2.5 1.8-5.5 1.8S2.5 5 2.5 4ZM2.5 4v8c0 1 2.5 1.8 5.5 1.8s5.5-.8 5.5-1.8V4M2.5 8c0 1 2.5 1.8 5.5 1.8s5.5-.8 5.5-1.8",
  topology: "M2 6.5h3.5v3H2ZM10.5 2.5H14v3h-3.5ZM10.5 10.5H14v3h-3.5ZM5.5 8H8M10.5 4H8v8h2.5",
  find: "M2.8 7a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0ZM10.2 10.2l3.3 3.3",
  theme: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
  down: "m4.5 6.5 3.5 3.5 3.5-3.5",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3.5 8.5 3 3 6-6.5",
  pause: "M6 4v8M10 4v8",
  play: "M5.5 3.8v8.4L12 8 5.5 3.8Z",
  api: "M6 3.5c-2 0-1.2 4-3.2 4.5C4.8 8.5 4 12.5 6 12.5M10 3.5c2 0 1.2 4 3.2 4.5-2 .5-1.2 4.5-3.2 4.5",
  leave: "M9.5 3h-6v10h6M7 8h6.5M11 5.5 13.5 8 11 10.5",
};

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

export function Mark() {
  return (
    <svg viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="7" fill="currentColor" />
      <g class="ears">
        <path d="M10.6 13.2C8.4 9.9 7.9 5.6 9.5 5.3s2.7 3.9 2.6 7.1" />
        <path d="M15.4 13.2c2.2-3.3 2.7-7.6 1.1-7.9s-2.7 3.9-2.6 7.1" />
        <circle cx="13" cy="16.6" r="4.3" />
      </g>
    </svg>
  );
}
