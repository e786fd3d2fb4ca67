# Shared by tools/demo/run and tools/demo/stop: where the demo lives and as whom it runs.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd /    # the servers' user may not be allowed to stand where we are
bindir=$("${PG_CONFIG:-pg_config}" --bindir)
libdir=$("${PG_CONFIG:-pg_config}" --pkglibdir)
export LC_ALL=C.UTF-8 PSQLRC=/dev/null PGCONNECT_TIMEOUT=10
export PGOPTIONS='-c client_min_messages=warning'
unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGPASSFILE

# PostgreSQL refuses to run as root.
as=()
owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
    as=(runuser -u postgres --)
    owner=postgres
fi

# In the repository, unless the servers' user cannot reach it or its name is too long for a socket.
inside=$root/.demo
outside=/var/tmp/pg_herd-demo-$(printf '%s' "$root" | cksum | cut -d' ' -f1)
demo=${HERD_DEMO_DIR:-$inside}
if [ -z "${HERD_DEMO_DIR-}" ] && { [ ${#inside} -gt 70 ] || ! "${as[@]}" test -x "$root"; }; then
    demo=$outside
fi

# Stops the server of a data directory by the pid that it wrote there.
stop_server() {
    [ -f "$1/postmaster.pid" ] || return 0
    "${as[@]}" "$bindir/pg_ctl" -D "$1" -m fast -w stop >/dev/null || true
}
