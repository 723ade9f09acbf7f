# Images are pinned by digest. Bun is installed from npm, whose client verifies the download.
FROM node:24-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS dependencies
RUN npm install -g bun@1.4.5 --allow-scripts=bun
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production

FROM debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171
COPY --from=dependencies /usr/local/lib/node_modules/bun/bin/bun.exe /usr/local/bin/bun
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=sqlite:/data/warren.db
COPY --from=dependencies /app/node_modules node_modules
COPY package.json tsconfig.json bunfig.toml ./
COPY src src
COPY routes routes
COPY consumers consumers
COPY contracts contracts
# What cannot be prepared starts from its sources; the output says why.
RUN bun src/commands/build.ts --start || true
RUN useradd --uid 1000 --no-create-home bun && mkdir --mode 700 /data && chown bun:bun /data
USER bun
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["bun", "-e", "const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/ready`); process.exit(ok ? 0 : 1)"]
# The exec form makes Bun PID 1, so that it receives SIGTERM; the program handles the signal.
# A consumer uses the same image with another command, which serves the health check above:
# ["bun", "consumers/logger.ts", "--health-port", "3000"].
CMD ["bun", "src/start.ts"]
