#!/bin/sh
# Restarts one service and waits until it runs and stays up.
#
#   restart-service.sh --service-name NAME[.service] [--force true|false] [--timeout SECONDS] [--mode live|simulate]
#
# Never: more than that one unit, a unit that is masked, not installed or protected, a name that is a pattern.
# `force` kills only that unit's processes, and only after half the time, when it does not stop by itself.
set -eu
tool=restart_service
# shellcheck source=rundeck/host/common.sh
. "$(dirname "$0")/common.sh"

service='' force=default seconds=default mode=live
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || refuse "an option without a value"
  case $1 in
    --service-name) service=$2 ;;
    --force) force=$2 ;;
    --timeout) seconds=$2 ;;
    --mode) mode=$2 ;;
    *) refuse "an unknown option" ;;
  esac
  shift 2
done
[ "$force" != default ] || force=false
[ "$seconds" != default ] || seconds=60
is_plain_name "$service" || refuse "service must be one plain name"
case $service in
  *.service) ;;
  *.socket | *.target | *.timer | *.mount | *.automount | *.path | *.slice | *.scope | *.swap | *.device)
    refuse "only services are restarted"
    ;;
  *) service=$service.service ;;
esac
is_boolean "$force" || refuse "force must be true or false"
is_number "$seconds" 5 3600 || refuse "timeout must be 5 to 3600 seconds"
case $mode in live | simulate) ;; *) refuse "mode must be live or simulate" ;; esac
only_one

facts="\"service\":\"$(json_text "$service")\",\"mode\":\"$mode\""

if [ ! -d /run/systemd/system ]; then
  # Not systemd: the service command, bounded, and its word for the state.
  command -v service >/dev/null || { say 'neither systemd nor service is here'; result tool_missing 9 "$facts"; }
  name=${service%.service}
  [ -f "/etc/init.d/$name" ] || { say "$name is not installed"; result not_installed 5 "$facts"; }
  [ "$mode" = live ] || result would_restart 0 "$facts"
  code=0
  bounded "$seconds" service "$name" restart </dev/null || code=$?
  case $code in
    0) ;;
    124 | 137) say "$name is not up after $seconds s"; result time_limit 8 "$facts" ;;
    *) say 'the restart failed'; result not_active 7 "$facts" ;;
  esac
  sleep 5
  bounded 10 service "$name" status || result not_active 7 "$facts"
  result restarted 0 "$facts"
fi

check_unit "$service"
before=$(unit_property "$service" ActiveState)
say "$service is $before ($(unit_property "$service" Result))"
if [ "$mode" = simulate ]; then
  say "would restart $service within $seconds s, force $force"
  result would_restart 0 "$facts,\"before\":\"$(json_text "$before")\""
fi

code=0
restart_unit "$service" "$seconds" "$force" || code=$?
show_journal "$service"
facts="$facts,\"before\":\"$(json_text "$before")\",\"after\":\"$(json_text "$unit_state")\""
case $code in
  0) say "$service runs and stays up"; result restarted 0 "$facts" ;;
  8)
    say "$service is not up after $seconds s; systemd may still be busy with it"
    result time_limit 8 "$facts"
    ;;
  *) say "$service did not come up: $unit_state"; result not_active 7 "$facts" ;;
esac
