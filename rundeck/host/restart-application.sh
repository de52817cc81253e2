#!/bin/sh
# Restarts one application, a container or a systemd unit, as gently as it can, and looks after its health.
#
#   restart-application.sh --app-name NAME [--graceful true|false] [--timeout SECONDS] [--mode live|simulate]
#
# /etc/remedia/applications says what an application is, one a line: NAME KIND TARGET HEALTH
#   KIND is systemd, docker or podman; HEALTH is -, tcp:PORT or http://127.0.0.1:PORT/PATH
# Without a line there, the unit NAME.service or a container named exactly NAME is taken.
set -eu
tool=restart_application
# shellcheck source=rundeck/host/common.sh
. "$(dirname "$0")/common.sh"

app='' graceful=default seconds=default mode=live
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || refuse "an option without a value"
  case $1 in
    --app-name) app=$2 ;;
    --graceful) graceful=$2 ;;
    --timeout) seconds=$2 ;;
    --mode) mode=$2 ;;
    *) refuse "an unknown option" ;;
  esac
  shift 2
done
[ "$graceful" != default ] || graceful=true
[ "$seconds" != default ] || seconds=120
is_plain_name "$app" || refuse "app must be one plain name"
is_boolean "$graceful" || refuse "graceful must be true or false"
is_number "$seconds" 5 3600 || refuse "timeout must be 5 to 3600 seconds"
case $mode in live | simulate) ;; *) refuse "mode must be live or simulate" ;; esac
only_one

kind='' target='' health=-
table=/etc/remedia/applications
if [ -f "$table" ]; then
  # Only root may say what is restarted in root's name.
  only_root_writes "$table" || refuse "$table must belong to root and be writable by root alone"
  line=$(awk -v app="$app" '$1 == app { print $2, $3, ($4 == "" ? "-" : $4); exit }' "$table")
  if [ -n "$line" ]; then
    kind=${line%% *}
    line=${line#* }
    target=${line%% *}
    health=${line#* }
    is_plain_name "$target" || refuse "$table names no plain target for the application"
  fi
fi

container_exists() { command -v "$1" >/dev/null && bounded 15 "$1" container inspect -- "$2" >/dev/null 2>&1; }
if [ -z "$kind" ]; then
  case $app in *.service) target=$app ;; *) target=$app.service ;; esac
  if [ -d /run/systemd/system ] && [ "$(unit_property "$target" LoadState)" != not-found ]; then
    kind=systemd
  elif container_exists docker "$app"; then
    kind=docker target=$app
  elif container_exists podman "$app"; then
    kind=podman target=$app
  else
    say "$app is no unit and no container here"
    result not_installed 5 "\"app\":\"$(json_text "$app")\""
  fi
fi
case $kind in systemd | docker | podman) ;; *) refuse "$table names an unknown kind" ;; esac
case $health in
  - | tcp:[1-9]* | http://127.0.0.1:[1-9]* | http://localhost:[1-9]*) ;;
  *) refuse "$table names no health check of this host" ;;
esac
facts="\"app\":\"$(json_text "$app")\",\"kind\":\"$kind\",\"target\":\"$(json_text "$target")\",\"mode\":\"$mode\""

healthy() {
  case $health in
    -) return 0 ;;
    tcp:*)
      port=${health#tcp:}
      is_number "$port" 1 65535 || return 1
      bounded 10 ss -H -l -t -n "sport = :$port" | grep -q .
      ;;
    *) bounded 10 curl -fsS -o /dev/null --max-time 8 --max-redirs 0 -- "$health" ;;
  esac
}
wait_healthy() {
  while ! healthy; do
    [ "$(now)" -lt "$deadline" ] || return 1
    sleep 1
  done
}

if [ "$kind" = systemd ]; then
  case $target in *.service) ;; *) target=$target.service ;; esac
  check_unit "$target"
elif ! container_exists "$kind" "$target"; then
  say "there is no container $target"
  result not_installed 5 "$facts"
fi
if [ "$mode" = simulate ]; then
  say "would restart $kind $target within $seconds s, graceful $graceful, health $health"
  result would_restart 0 "$facts"
fi

deadline=$(($(now) + seconds))
code=0
if [ "$kind" = systemd ]; then
  # Graceful: systemd's own stop, and no kill. Otherwise processes that do not stop are killed at half the time.
  if [ "$graceful" = true ]; then force=false; else force=true; fi
  restart_unit "$target" "$seconds" "$force" || code=$?
  show_journal "$target"
else
  if [ "$graceful" = true ]; then grace=$((seconds / 2)); else grace=1; fi
  bounded "$seconds" "$kind" restart --time "$grace" "$target" >/dev/null || code=$?
  case $code in 0) ;; 124 | 137) code=8 ;; *) code=7 ;; esac
  if [ "$code" = 0 ]; then
    sleep 3
    [ "$(bounded 15 "$kind" container inspect -f '{{.State.Running}}' "$target")" = true ] || code=7
  fi
  say "--- last log lines of $target"
  bounded 15 "$kind" logs --tail 20 "$target" 2>&1 | tr -d '\000-\010\013-\037\177' | cut -c1-300 || true
  say '---'
fi
case $code in
  0) ;;
  8) say "not up after $seconds s"; result time_limit 8 "$facts" ;;
  *) say "did not come up"; result not_active 7 "$facts" ;;
esac
wait_healthy || { say "restarted, but the health check $health fails"; result unhealthy 7 "$facts"; }
say "$target runs and is healthy"
result restarted 0 "$facts"
