FROM oven/bun:1.4.5-alpine AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production

FROM oven/bun:1.4.5-alpine
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=sqlite:/data/warren.db
COPY --from=dependencies /app/node_modules node_modules
COPY package.json tsconfig.json bunfig.toml ./
COPY src src
COPY routes routes
COPY consumers consumers
RUN mkdir /data && chown bun:bun /data
USER bun
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT:-3000}/health/ready"
# In the exec form, so that Bun is PID 1 and gets the SIGTERM itself; src/main.ts handles it.
# A consumer is the same image with another command, which listens for the health check above:
# ["bun", "consumers/logger.ts", "--health-port", "3000"].
CMD ["bun", "src/main.ts"]
