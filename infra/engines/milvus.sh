# shellcheck shell=bash disable=SC2034,SC2154
# Milvus, the standalone server out of the Python package. The package's wrapper
# outlives its child, so that it only unpacks and writes the settings here, and
# the server runs by itself. SIGTERM may never end it: it is killed. Its data is
# fresh at each start, unless --keep says otherwise.
milvus_dir=$cache/milvus-$milvus_version
milvus_port=19530

milvus_packages() { echo curl iproute2; }

milvus_installed() { [ -f "$milvus_dir/server/complete" ]; }

milvus_install() {
  venv "milvus-$milvus_version" "${milvus_pins[@]}"
  [ ! -f "$milvus_dir/server/complete" ] || return 0
  "$milvus_dir/bin/python" -c 'import milvus, sys; milvus._initialize_data_files(sys.argv[1])' "$milvus_dir/server"
  rm -r "$milvus_dir"/lib/python*/site-packages/milvus/data/bin # unpacked now
  touch "$milvus_dir/server/complete"
}

milvus_command() {
  local data=$state/milvus/data
  if [ ${#inside[@]} = 0 ]; then
    echo "engines: milvus $milvus_version listens on all interfaces; it is started in a network namespace only, which takes root and iproute2" >&2
    return 1
  fi
  [ -n "$keep" ] || rm -rf "$data"
  # Its own log files would be a second copy of standard output.
  "$milvus_dir/bin/python" - "$data" "$milvus_port" <<'PYTHON' || return 1
import milvus, sys
config = milvus.MilvusServerConfig(data_dir=sys.argv[1], proxy_port=int(sys.argv[2]))
config.resolve_storage()
config.set('system_log_path', '')
config.set('etcd_log_path', 'stdout')
config.set('etcd_log_level', 'warn')
config.set('log.level', 'warn')
config.set('proxy_port', int(sys.argv[2]))
config.write_config()
PYTHON
  command=(env --chdir="$data" DEPLOY_MODE=STANDALONE METRICS_PORT=9091 MILVUS_RUN_DIR="$data/run"
    LD_LIBRARY_PATH="$milvus_dir/server/bin" "$milvus_dir/server/bin/milvus" run standalone)
}

milvus_ready() {
  "${inside[@]}" curl -fs -m 3 http://127.0.0.1:9091/healthz | grep -q OK && grpc_ready "$milvus_port"
}

# grpc_ready asks a Milvus on a port for its version, which needs no client: the
# request is an empty message.
grpc_ready() {
  printf '\0\0\0\0\0' | "${inside[@]}" curl -s -m 3 -o /dev/null -D - --http2-prior-knowledge --data-binary @- \
    -H 'Content-Type: application/grpc' -H 'TE: trailers' "http://127.0.0.1:$1/milvus.proto.milvus.MilvusService/GetVersion" |
    grep -q '^grpc-status: 0'
}

milvus_env() { echo "UPNEXT_TEST_MILVUS=milvus://127.0.0.1:$milvus_port"; }
