# One image for every process of ours; docker-compose.yml says which one a container is.
# Both stages start from the same base, because the environment's interpreter is the base's.
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements/run.lock requirements/build.lock requirements/
# Wheels only: nothing is compiled, and no package's set-up script runs.
RUN python -m venv /opt/countersign \
    && /opt/countersign/bin/pip install --require-hashes --only-binary :all: -r requirements/run.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.lock
# .dockerignore lets in what the wheel is made of, and nothing else.
COPY . .
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /dist \
    && /opt/countersign/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/countersign/bin/pip uninstall --yes pip setuptools \
    && /opt/countersign/bin/python -m compileall -q /opt/countersign/lib

FROM python:${PYTHON}
# The base's own installers are not needed to run anything.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && groupadd --gid 10001 countersign \
    && useradd --uid 10001 --gid countersign --no-create-home --home-dir /tmp --shell /usr/sbin/nologin countersign
COPY --from=build /opt/countersign /opt/countersign
# Its own writes go to /tmp, the only place that is writable when the root is mounted read-only.
ENV PATH=/opt/countersign/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/countersign
USER 10001:10001
CMD ["countersign", "--help"]
