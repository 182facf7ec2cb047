# shellcheck shell=bash disable=SC2034,SC2154
# PostgreSQL, with fsync on: the tests kill it and count what is lost.
postgres_bin=/usr/lib/postgresql/$postgres_version/bin
postgres_port=15432

postgres_packages() { echo "postgresql-$postgres_version"; }

postgres_installed() { [ -x "$postgres_bin/postgres" ]; }

postgres_install() { :; }

# It refuses to run as root.
postgres_as=()
[ "$(id -u)" != 0 ] || postgres_as=(setpriv --reuid=postgres --regid=postgres --init-groups)

postgres_command() {
  local data=$state/postgres/data
  [ ${#postgres_as[@]} = 0 ] || chmod o+x "$state" "$state/postgres"
  if [ ! -f "$data/PG_VERSION" ]; then
    rm -rf "$data" # of an initdb that did not end
    install -d -m 0700 "$data"
    [ ${#postgres_as[@]} = 0 ] || chown postgres: "$data"
    # Not a linguistic order of text: SQLite has none.
    "${postgres_as[@]}" "$postgres_bin/initdb" -A trust -U app -E UTF8 --locale=C.UTF-8 -D "$data" >"$state/postgres/initdb.log" 2>&1 ||
      { cat "$state/postgres/initdb.log" >&2; return 1; }
  fi
  command=("${postgres_as[@]}" "$postgres_bin/postgres" -D "$data" -p "$postgres_port"
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300)
}

postgres_sql() {
  "${inside[@]}" timeout 4 "$postgres_bin/psql" -X -qtA -h 127.0.0.1 -p "$postgres_port" -U app -d postgres -c "$1"
}

# Ready means that the database of the tests is there, too.
postgres_ready() {
  case $(postgres_sql "SELECT count(*) FROM pg_database WHERE datname = 'upnext'" 2>/dev/null) in
  1) ;;
  0) postgres_sql 'CREATE DATABASE upnext' ;;
  *) return 1 ;;
  esac
}

postgres_env() { echo "UPNEXT_TEST_POSTGRES=postgres://app@127.0.0.1:$postgres_port/upnext?sslmode=disable"; }
