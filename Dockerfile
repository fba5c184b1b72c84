# Forecasts over HTTP: the core and the server, from wheels alone: no PyTorch, no compiler.

FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
# a folder without pip, which the last stage takes as it is
RUN python -m venv --without-pip /opt/lstmcast \
    && pip --python /opt/lstmcast/bin/python install --no-cache-dir --only-binary :all: \
        --constraint constraints.txt '.[server]'

FROM python:3.11-slim
COPY --from=build /opt/lstmcast /opt/lstmcast
RUN useradd --uid 10001 --no-create-home lstmcast && install -d -o lstmcast /data
ENV PATH=/opt/lstmcast/bin:$PATH MPLCONFIGDIR=/tmp PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=3)"]
ENTRYPOINT ["lstmcast"]
CMD ["serve", "--host", "0.0.0.0", "--streams", "/data/streams"]
