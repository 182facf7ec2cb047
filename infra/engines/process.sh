# shellcheck shell=bash disable=SC2034,SC2154
# One server is one process, the leader of a session of its own. Its folder
# $state/NAME holds data, log, log.old and pid. A pid is believed only together
# with the time at which that process started, because numbers are reused.

# born prints when a process started, in ticks since the boot, also where it is
# dead and waits for its parent: PostgreSQL takes that for a running one, too.
born() {
  local line fields
  { line=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${line##*) }"
  echo "${fields[19]}"
}

# pid_of prints the pid of NAME where its process lives.
pid_of() {
  local pid time
  { read -r pid time <"$state/$1/pid"; } 2>/dev/null || return 1
  [ "$(born "$pid")" = "$time" ] && echo "$pid"
}

# spawn starts a command as NAME, in the namespace where there is one.
spawn() {
  local name=$1 dir=$state/$1 pid
  shift
  [ ! -f "$dir/log" ] || mv "$dir/log" "$dir/log.old"
  # Without the lock's descriptor, which a server would keep for ever.
  (cd "$dir" && exec "${inside[@]}" setsid "$@") >"$dir/log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(born "$pid")" >"$dir/pid"
}

# answers says whether the process of NAME lives, is where a command would look
# for it, and does what it should. Another server may have its port elsewhere.
answers() {
  local pid
  pid=$(pid_of "$1") &&
    [ "$(readlink "/proc/$pid/ns/net")" = "$("${inside[@]}" readlink /proc/self/ns/net)" ] &&
    "${1}_ready"
}

# await waits until NAME is ready, as long as its process lives.
await() {
  local name=$1 deadline=$((SECONDS + ${UPNEXT_ENGINES_TIMEOUT:-120}))
  until answers "$name"; do
    if ! pid_of "$name" >/dev/null; then
      echo "engines: $name has ended" >&2
    elif [ $SECONDS -ge $deadline ]; then
      echo "engines: $name is not ready in time" >&2
    else
      sleep 0.2
      continue
    fi
    tail -n 30 "$state/$name/log" | sed "s/^/$name: /" >&2
    return 1
  done
}

# end sends NAME a signal, KILL where it is still there after ten seconds, and
# returns when nothing of it lives. PostgreSQL's children lead sessions of their
# own: they go by themselves when the postmaster has gone, and a new one would
# refuse the data before that.
end() {
  local name=$1 signal=$2 pid child deadline family=()
  pid=$(pid_of "$name") || return 0
  for child in "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
    family+=("$child $(born "$child" || true)")
  done
  kill "-$signal" -- "-$pid" 2>/dev/null || kill "-$signal" "$pid" 2>/dev/null || true
  deadline=$((SECONDS + 10))
  while lives "${family[@]}"; do
    if [ $SECONDS -ge $((deadline + 10)) ]; then
      # Dead but never waited for, as in a container without an init, is as good.
      ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status" 2>/dev/null || { echo "engines: $name ($pid) cannot be killed" >&2; return 1; }
      return 0
    fi
    [ $SECONDS -lt $deadline ] || lives_kill "${family[@]}"
    sleep 0.1
  done
}

# lives says whether any process of "PID TIME"… is there.
lives() {
  local each
  for each; do
    [ -z "${each#* }" ] || [ "$(born "${each% *}")" != "${each#* }" ] || return 0
  done
  return 1
}

lives_kill() {
  local each
  for each; do
    ! lives "$each" || kill -KILL "${each% *}" 2>/dev/null || true
  done
}
