# shellcheck shell=bash disable=SC2034,SC2154
# Milvus Lite, the server in Python. Its host is all interfaces unless told.
milvus_lite_dir=$cache/milvus-lite-$milvus_lite_version
milvus_lite_port=19540

milvus-lite_packages() { echo curl; }

milvus-lite_installed() { [ -f "$milvus_lite_dir/complete" ]; }

milvus-lite_install() { venv "milvus-lite-$milvus_lite_version" "${milvus_lite_pins[@]}"; }

milvus-lite_command() {
  command=("$milvus_lite_dir/bin/milvus-lite" server --data-dir "$state/milvus-lite/data" --host 127.0.0.1 --port "$milvus_lite_port")
}

milvus-lite_ready() { grpc_ready "$milvus_lite_port"; }

milvus-lite_env() { echo "UPNEXT_TEST_MILVUS_LITE=milvus://127.0.0.1:$milvus_lite_port"; }
