# Penstock as a container: built on Debian 12, shipped as the binary and the shared libraries it needs, and nothing else.
# No shell, no package manager, a numeric user, nothing written: it runs with a read-only root and no capability.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY tools/debian-packages.txt tools/install_packages.sh tools/
RUN tools/install_packages.sh build
COPY . .
RUN cmake --preset release -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=OFF \
 && cmake --build --preset release --target penstock \
 && strip build/release/gateway/penstock
# glibc loads libnss_* by name when a host name is looked up, so that ldd does not show them.
RUN set -eu; root=/shipped; mkdir -p "$root/usr/bin" "$root/etc/penstock"; \
    cp build/release/gateway/penstock "$root/usr/bin/"; \
    libraries=$(ldd build/release/gateway/penstock | grep -oE '/[^ ]+'); \
    for library in $libraries /lib/*-linux-gnu/libnss_files.so.2 /lib/*-linux-gnu/libnss_dns.so.2; do \
        mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; \
    done; \
    mkdir -p "$root/usr/share"; cp -a /usr/share/zoneinfo "$root/usr/share/"; \
    mkdir -p "$root/etc/ssl/certs"; cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"; \
    rm -rf "$root/usr/share/zoneinfo/posix" "$root/usr/share/zoneinfo/right"; \
    echo 'hosts: files dns' > "$root/etc/nsswitch.conf"; \
    echo 'penstock:x:10001:10001::/nonexistent:/usr/sbin/nologin' > "$root/etc/passwd"; \
    echo 'penstock:x:10001:' > "$root/etc/group"

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Penstock" \
      org.opencontainers.image.description="Reverse-proxy HTTP gateway with fleet-wide rate limits" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /shipped/ /
# By whom the issuers of tokens are vouched for, unless jwks_ca_file says otherwise.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=5s CMD ["/usr/bin/penstock", "healthcheck"]
ENTRYPOINT ["/usr/bin/penstock"]
CMD ["run", "--config", "/etc/penstock/penstock.yaml"]
