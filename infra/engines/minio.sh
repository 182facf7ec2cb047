# shellcheck shell=bash disable=SC2034,SC2154
# MinIO, built from source by the Go module proxy. It is AGPL: a process of its
# own, never imported. Its bucket notifications go to a fixed port of loopback,
# where a test may listen. They arrive in milliseconds, and what nobody took is
# lost: with a queue on disk it is tried again, but each takes up to 3 seconds.
minio_bin=$cache/minio-$minio_version/minio
minio_port=19000
minio_user=${UPNEXT_ENGINES_MINIO_USER:-upnext}
minio_password=${UPNEXT_ENGINES_MINIO_PASSWORD:-for-tests-only}
minio_hook=http://127.0.0.1:19010/minio

minio_packages() { echo curl; }

minio_installed() { [ -x "$minio_bin" ]; }

minio_install() {
  [ ! -x "$minio_bin" ] || return 0
  GOFLAGS='' CGO_ENABLED=0 GOBIN="${minio_bin%/*}" nice go install -ldflags='-s -w' "github.com/minio/minio@$minio_version"
}

minio_command() {
  mkdir -p "$state/minio/data"
  command=(env MINIO_ROOT_USER="$minio_user" MINIO_ROOT_PASSWORD="$minio_password"
    MINIO_BROWSER=off MINIO_UPDATE=off
    MINIO_NOTIFY_WEBHOOK_ENABLE_UPNEXT=on MINIO_NOTIFY_WEBHOOK_ENDPOINT_UPNEXT="$minio_hook"
    "$minio_bin" server "$state/minio/data" --address "127.0.0.1:$minio_port" --quiet)
}

minio_ready() { "${inside[@]}" curl -fs -m 3 -o /dev/null "http://127.0.0.1:$minio_port/minio/health/ready"; }

minio_env() {
  echo "UPNEXT_TEST_MINIO=http://$minio_user:$minio_password@127.0.0.1:$minio_port"
  echo "UPNEXT_TEST_MINIO_HOOK=$minio_hook"
  echo "UPNEXT_TEST_MINIO_HOOK_ARN=arn:minio:sqs::UPNEXT:webhook"
}
