# One image for hub, sidecar and simulated fleet. Not built where it was written (no Docker engine there): the steps are the README's own.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /longpole
COPY package.json package-lock.json .npmrc ./
COPY src/model/package.json src/model/
COPY src/sdk/package.json src/sdk/
RUN npm ci
COPY . .
RUN npm run console && npm prune --omit=dev && rm -rf node_modules/node-linux-*

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /longpole
COPY --from=build --chown=root:root /longpole /longpole
RUN install -d -o node -g node /data
USER node
VOLUME /data
ENTRYPOINT ["node", "bin/longpole.mjs"]
CMD ["hub", "--data", "/data"]
