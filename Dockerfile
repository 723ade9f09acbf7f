FROM oven/bun:1.4.5-alpine AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
# Of the AsyncAPI component two files are served; the many packages that it was built from have no place here.
RUN bun install --frozen-lockfile --production \
  && mkdir /served \
  && tar -C node_modules -c @asyncapi/react-component/browser/standalone/index.js @asyncapi/react-component/styles/default.min.css \
    @asyncapi/react-component/package.json | tar -C /served -x \
  && bun remove @asyncapi/react-component && rm -rf node_modules \
  && bun install --frozen-lockfile --production \
  && cp -r /served/. node_modules/

FROM oven/bun:1.4.5-alpine
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=sqlite:/data/warren.db
COPY --from=dependencies /app/node_modules node_modules
COPY package.json tsconfig.json bunfig.toml ./
COPY src src
COPY routes routes
COPY consumers consumers
COPY contracts contracts
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
