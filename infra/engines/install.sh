# shellcheck shell=bash disable=SC2034,SC2154
# How things come onto the machine: Debian packages, and Python packages each in
# a virtual environment under $cache, named by version.

# debian installs those of the packages that are missing.
debian() {
  local missing=() package sudo=
  command -v dpkg-query >/dev/null || { echo "no Debian here: needed are $*" >&2; return; }
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} != 0 ] || return 0
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -q
  case " ${missing[*]} " in *" postgresql-"*)
    # Debian makes a cluster of its own and starts it on 5432 unless told before.
    apt_install postgresql-common
    $sudo sed -i 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf ;;
  esac
  apt_install "${missing[@]}"
}

apt_install() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# venv makes $cache/NAME hold exactly the packages, and does nothing where it does.
venv() {
  local dir=$cache/$1 want
  shift
  want="$(python3 --version) $*"
  if [ "$(cat "$dir/complete" 2>/dev/null)" = "$want" ] && "$dir/bin/python" -c ''; then return; fi
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/python" -m pip install -q --no-input --disable-pip-version-check --no-deps "$@"
  "$dir/bin/python" -m pip check --disable-pip-version-check
  echo "$want" >"$dir/complete"
}
