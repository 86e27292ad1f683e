# One file for every image of ours: the lock file and the contract lie above the services, so the
# build context is the root either way, and the base, the user and uv are stated once.
#
#   docker build --target poller .        # or gateway, simulator: BuildKit builds what it needs

FROM python:3.13-slim AS base
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A number, so that an orchestrator can see that it is not root; nothing in /app is its own.
USER 10001:10001


FROM base AS build
USER root
# uv.lock decides what is installed, whichever uv installs it.
COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_DEFAULT_GROUPS=1 \
    UV_PYTHON=/usr/local/bin/python \
    UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./


# Each service's third parties come first, in a layer that lasts until the lock changes; a change
# to one service leaves the others' layers alone.

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


# Azurite as published runs as root and keeps its data in a folder of root's. This is the same
# program with a folder that the image's own unprivileged user may write to.
FROM mcr.microsoft.com/azure-storage/azurite:latest AS azurite
RUN chown 1000:1000 /data
USER 1000:1000
