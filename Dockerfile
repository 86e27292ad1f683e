# One file for all images, because every image needs the lock file and packages/ from the root: the
# base image, the user and uv are stated once.
#
#   docker build --target poller .        # or gateway, simulator; BuildKit builds only its stages

FROM python:3.13-slim AS base
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A number, so that an orchestrator can check that the user is not root. Root owns /app, so the
# service cannot change its own code.
USER 10001:10001


FROM base AS build
USER root
# Any version of uv installs the versions in uv.lock.
COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_DEFAULT_GROUPS=1 \
    UV_PYTHON=/usr/local/bin/python \
    UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./


# Third-party packages are installed first, in a layer that is rebuilt only when uv.lock changes.
# A change to one service does not rebuild the layers of another.

FROM build AS build-poller
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-poller
COPY packages packages
COPY services/poller services/poller
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-poller

FROM build AS build-gateway
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-gateway
COPY packages packages
COPY services/gateway services/gateway
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-gateway

FROM build AS build-simulator
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-simulator
COPY packages packages
COPY services/simulator services/simulator
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-simulator


FROM base AS poller
# A volume gets the owner of the folder that it is mounted on.
USER root
RUN install -d -o 10001 -g 10001 /journal
USER 10001:10001
COPY --from=build-poller /app/.venv .venv
ENV POLLER_HOST=0.0.0.0
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "runtime.health", "http://127.0.0.1:8081/readyz"]
CMD ["poller"]

FROM base AS gateway
COPY --from=build-gateway /app/.venv .venv
ENV GATEWAY_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "runtime.health", "http://127.0.0.1:8080/readyz"]
CMD ["gateway"]

FROM base AS simulator
COPY --from=build-simulator /app/.venv .venv
CMD ["simulator"]


# mosquitto with this repository's configuration. mosquitto/start makes the passwords in
# /run/credentials; the volumes that are mounted there get the owner of these folders.
FROM eclipse-mosquitto:2 AS mosquitto
COPY mosquitto /mosquitto/config
RUN for user in poller gateway simulator operator devices; do \
      mkdir -p "/run/credentials/$user"; \
    done && chown -R 1883:1883 /run/credentials
ENV CREDENTIALS_SHARED=1
USER 1883:1883
ENTRYPOINT []
CMD ["sh", "/mosquitto/config/start"]


# The published Azurite image runs as root and its data folder belongs to root. In this one the
# data folder belongs to the image's unprivileged user.
FROM mcr.microsoft.com/azure-storage/azurite:latest AS azurite
RUN chown 1000:1000 /data
USER 1000:1000
