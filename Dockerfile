# One file for all images, because every image needs the lock file and packages/ from the root: the
# base image, the user and uv are stated once.
#
#   docker build --target poller .        # or another target; BuildKit builds only its stages
#   docker build --target poller --build-arg TRACES_EXTRA=otel .   # with traces: otel, azure-monitor
#
# The final images begin with an empty one, into which a base image is copied after deploy/images/strip
# has removed package managers and the rights of programs that run as their owner.
# The versions of the base images are here and nowhere else; scripts/pin-images adds their digests.

ARG PYTHON_IMAGE=python:3.13-slim
ARG MOSQUITTO_IMAGE=eclipse-mosquitto:2.0
ARG AZURITE_IMAGE=mcr.microsoft.com/azure-storage/azurite:3.36.0
ARG PROMETHEUS_IMAGE=prom/prometheus:v3.5.0
ARG GRAFANA_IMAGE=grafana/grafana:12.2.0


FROM ${PYTHON_IMAGE} AS stripped-python
USER root
RUN --mount=type=bind,source=deploy/images/strip,target=/strip sh /strip

FROM scratch AS base
COPY --from=stripped-python / /
COPY deploy/images/healthy /usr/local/bin/healthy
ENV PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A number, so that an orchestrator can check that the user is not root. Root owns /app, so the
# service cannot change its own code.
USER 10001:10001


FROM ${PYTHON_IMAGE} AS build
USER root
WORKDIR /app
# With the hashes of its files, as every other package has them in uv.lock.
COPY deploy/images/uv.txt ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r uv.txt
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_DEFAULT_GROUPS=1 \
    UV_PYTHON=/usr/local/bin/python \
    UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./


# Third-party packages are installed first, in a layer that is rebuilt only when uv.lock changes.
# A change to one service does not rebuild the layers of another.

FROM build AS build-poller
ARG TRACES_EXTRA=
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-poller ${TRACES_EXTRA:+--extra "$TRACES_EXTRA"}
COPY packages packages
COPY services/poller services/poller
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-poller ${TRACES_EXTRA:+--extra "$TRACES_EXTRA"}

FROM build AS build-gateway
ARG TRACES_EXTRA=
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-gateway ${TRACES_EXTRA:+--extra "$TRACES_EXTRA"}
COPY packages packages
COPY services/gateway services/gateway
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-gateway ${TRACES_EXTRA:+--extra "$TRACES_EXTRA"}

FROM build AS build-notifier
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-notifier
COPY packages packages
COPY services/notifier services/notifier
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-notifier

FROM build AS build-recorder
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-recorder
COPY packages packages
COPY services/recorder services/recorder
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-recorder

FROM build AS build-simulator
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-simulator
COPY packages packages
COPY services/simulator services/simulator
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-simulator

# The operator's command uses the functions of the services.
FROM build AS build-pillowcast
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-install-workspace --package pillowcast-ops
COPY packages packages
COPY services services
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-editable --package pillowcast-ops


FROM base AS poller
# A volume gets the owner of the folder that it is mounted on.
USER root
RUN install -d -o 10001 -g 10001 /journal
USER 10001:10001
COPY --from=build-poller /app/.venv .venv
ENV POLLER_HOST=0.0.0.0
EXPOSE 8081
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["healthy", "8081", "/readyz"]
CMD ["poller"]

FROM base AS gateway
COPY --from=build-gateway /app/.venv .venv
ENV GATEWAY_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["healthy", "8082", "/readyz"]
CMD ["gateway"]

FROM base AS notifier
USER root
RUN install -d -o 10001 -g 10001 /outbox
USER 10001:10001
COPY --from=build-notifier /app/.venv .venv
ENV NOTIFIER_HOST=0.0.0.0 \
    NOTIFIER_OUTBOX=/outbox/notifier.db
EXPOSE 8083
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["healthy", "8083", "/readyz"]
CMD ["notifier"]

FROM base AS recorder
USER root
RUN install -d -o 10001 -g 10001 /history
USER 10001:10001
COPY --from=build-recorder /app/.venv .venv
ENV RECORDER_HOST=0.0.0.0 \
    HISTORY_URL=sqlite:////history/history.db
EXPOSE 8084
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["healthy", "8084", "/readyz"]
CMD ["recorder"]

FROM base AS simulator
COPY --from=build-simulator /app/.venv .venv
CMD ["simulator"]

FROM base AS pillowcast
COPY --from=build-pillowcast /app/.venv .venv
ENTRYPOINT ["pillowcast"]
CMD ["--help"]


# A port of this machine for a service on an inner network.
FROM base AS port-forward
COPY devstack/port_forward.py ./
ENTRYPOINT ["python", "/app/port_forward.py"]


# mosquitto with this repository's configuration. mosquitto/start makes the passwords in
# /run/credentials; the volumes that are mounted there get the owner of these folders.
FROM ${MOSQUITTO_IMAGE} AS stripped-mosquitto
USER root
RUN --mount=type=bind,source=deploy/images/strip,target=/strip sh /strip \
    && for user in poller gateway notifier recorder simulator operator homeassistant devices; do \
      mkdir -p "/run/credentials/$user"; \
    done \
    && chown -R 1883:1883 /run/credentials /mosquitto

FROM scratch AS mosquitto
COPY --from=stripped-mosquitto / /
COPY mosquitto /mosquitto/config
ENV CREDENTIALS_SHARED=1 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 1883:1883
CMD ["sh", "/mosquitto/config/start"]


# The published Azurite image runs as root and its data folder belongs to root. In this one the
# data folder belongs to the image's unprivileged user.
FROM ${AZURITE_IMAGE} AS stripped-azurite
USER root
RUN --mount=type=bind,source=deploy/images/strip,target=/strip sh /strip \
    && chown 1000:1000 /data

FROM scratch AS azurite
COPY --from=stripped-azurite / /
ENV NODE_ENV=production \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 1000:1000


# Both run as users of their own, and have their configuration in the image.
FROM ${PROMETHEUS_IMAGE} AS prometheus
COPY deploy/observability/prometheus /etc/prometheus

FROM ${GRAFANA_IMAGE} AS grafana
COPY deploy/observability/grafana/provisioning /etc/grafana/provisioning
COPY deploy/observability/grafana/dashboards /var/lib/grafana-dashboards
