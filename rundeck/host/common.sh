#!/bin/sh
# What the host scripts share: strict arguments, bounded commands, one JSON line as the last word.
# Sourced, never run. POSIX sh; needs coreutils, procps and, for services, systemd.
#
# Exit codes: 0 done; 2 arguments refused; 3 already running here; 4 nothing to do; 5 not installed;
#             6 masked or protected; 7 done, but not well afterwards; 8 time limit; 9 a tool is missing.

# shellcheck disable=SC2034 # the scripts read what is set here

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
# What sort spills must not go to a disk that may be full.
TMPDIR=/run
export PATH LC_ALL TMPDIR
unset CDPATH ENV BASH_ENV
umask 077
set -f # no globs, anywhere

say() { printf '%s\n' "$*"; }

# Text for JSON: without control characters, with quotes and backslashes escaped, at most 200 bytes.
json_text() { printf '%s' "$1" | tr -d '\000-\037\177' | cut -c1-200 | sed 's/\\/\\\\/g; s/"/\\"/g'; }

# result WORD EXITCODE [JSON MEMBERS]: the last line of output, then the end.
result() {
  # shellcheck disable=SC2154 # each script sets its own
  printf '{"tool":"%s","result":"%s","exit":%d%s}\n' "$tool" "$1" "$2" "${3:+,$3}"
  exit "$2"
}

refuse() {
  say "refused: $1"
  result refused 2 "\"reason\":\"$(json_text "$1")\""
}

# Digits only, at most seven, within bounds.
is_number() {
  case $1 in '' | *[!0-9]* | ????????*) return 1 ;; esac
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# A plain absolute folder: no empty, hidden or dot-dot component, no special character.
is_plain_path() {
  [ "${#1}" -le 255 ] || return 1
  case $1 in
    / | '') [ "$1" = / ] ;;
    *[!A-Za-z0-9._/@+:-]* | *//* | */.* | */ | */-*) return 1 ;;
    /*) return 0 ;;
    *) return 1 ;;
  esac
}

# A name without anything that a shell, systemctl's globs or an option parser would read.
is_plain_name() {
  [ "${#1}" -le 128 ] || return 1
  case $1 in '' | [!A-Za-z0-9_]* | *[!A-Za-z0-9_.@:-]*) return 1 ;; *) return 0 ;; esac
}

# Whether a file that says what is done belongs to root, and nobody else may write it.
only_root_writes() {
  [ "$(stat -L -c '%u %a' "$1" | awk '{ print ($1 == 0 && substr($2, length($2)) !~ /[2367]/ && substr($2, length($2) - 1, 1) !~ /[2367]/) }')" = 1 ]
}

is_boolean() { [ "$1" = true ] || [ "$1" = false ]; }

# One run of a tool at a time on this host; the lock goes with the process.
only_one() {
  [ "$(id -u)" = 0 ] || return 0
  command -v flock >/dev/null || return 0
  [ -d /run/remedia ] || mkdir -m 700 /run/remedia 2>/dev/null || true
  [ -d /run/remedia ] && [ ! -h /run/remedia ] || return 0
  exec 9>"/run/remedia/$tool.lock"
  flock -n 9 || { say 'another run of this tool is going on here'; result already_running 3; }
}

# Children must not hold the lock, nor a file of ours.
bounded() { bounded_seconds=$1; shift; timeout -k 5 "$bounded_seconds" "$@" 9>&-; }

now() { date +%s; }

# Property of a systemd unit, or nothing.
unit_property() { bounded 10 systemctl show -p "$2" --value -- "$1" 2>/dev/null || true; }

# Last lines of a unit's journal, control characters removed.
show_journal() {
  say "--- last journal lines of $1"
  bounded 10 journalctl -u "$1" -n 20 --no-pager -q -o short-iso 2>/dev/null | tr -d '\000-\010\013-\037\177' | cut -c1-300 || true
  say '---'
}

# check_unit UNIT: ends the script unless the unit is one that may be restarted.
check_unit() {
  case $1 in
    dbus.service | dbus-broker.service | systemd-*.service | init.scope | emergency.service | rescue.service | *@.service)
      say "$1 is protected"
      result protected 6
      ;;
  esac
  case $(unit_property "$1" LoadState) in
    loaded) ;;
    masked) say "$1 is masked"; result masked 6 ;;
    not-found | '') say "$1 is not installed"; result not_installed 5 ;;
    *) say "$1 cannot be loaded"; result not_loadable 5 ;;
  esac
  [ "$(unit_property "$1" RefuseManualStart)" != yes ] || { say "$1 refuses a manual start"; result protected 6; }
}

# restart_unit UNIT SECONDS FORCE(true|false): restarts, waits until it is active and stays so; sets unit_state.
# `systemctl restart` exits 0 on a service that dies at once, and goes on when it is killed: so it is only asked to
# begin, and what became of it is looked at.
restart_unit() {
  ru_deadline=$(($(now) + $2))
  ru_kill_at=$(($(now) + $2 / 2))
  unit_state=unknown
  bounded 15 systemctl reset-failed -- "$1" 2>/dev/null || true
  if ! bounded 15 systemctl restart --no-block -- "$1"; then
    unit_state=refused
    return 1
  fi
  ru_killed=false
  ru_stable=0
  ru_pid=
  ru_restarts=$(unit_property "$1" NRestarts)
  while [ "$(now)" -lt "$ru_deadline" ]; do
    sleep 1
    ru_active=$(unit_property "$1" ActiveState)
    ru_job=$(unit_property "$1" Job)
    unit_state=$ru_active
    case $ru_job in
      '' | 0) ;;
      *)
        ru_stable=0
        if [ "$3" = true ] && [ "$ru_killed" = false ] && [ "$(now)" -ge "$ru_kill_at" ]; then
          say "$1 does not stop: killing its processes"
          bounded 10 systemctl kill -s KILL -- "$1" || true
          ru_killed=true
        fi
        continue
        ;;
    esac
    case $ru_active in
      active)
        ru_now=$(unit_property "$1" MainPID):$(unit_property "$1" NRestarts)
        if [ "$ru_now" = "$ru_pid" ]; then ru_stable=$((ru_stable + 1)); else ru_stable=0; fi
        ru_pid=$ru_now
        [ "$ru_stable" -lt 4 ] || return 0
        ;;
      inactive)
        # A oneshot that ran to its end is done.
        if [ "$(unit_property "$1" Type)" = oneshot ] && [ "$(unit_property "$1" Result)" = success ]; then
          unit_state=finished
          return 0
        fi
        return 1
        ;;
      failed) return 1 ;;
      *) ru_stable=0 ;;
    esac
    # It came up and systemd started it again: it does not stay.
    ru_again=$(unit_property "$1" NRestarts)
    if [ "${ru_again:-0}" -gt "$((${ru_restarts:-0} + 2))" ]; then
      unit_state=restarting
      return 1
    fi
  done
  return 8
}
