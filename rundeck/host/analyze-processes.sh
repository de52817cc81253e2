#!/bin/sh
# Finds which processes use a resource: a table for a human, one JSON line for programs. Changes nothing.
#
#   analyze-processes.sh --resource-type cpu|memory|io|network [--top-count 1-50] [--mode live|simulate]
#
# Names of commands only, never their arguments: those carry secrets.
set -eu
tool=analyze_processes
# shellcheck source=rundeck/host/common.sh
. "$(dirname "$0")/common.sh"

resource='' top=default mode=live
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || refuse "an option without a value"
  case $1 in
    --resource-type) resource=$2 ;;
    --top-count) top=$2 ;;
    --mode) mode=$2 ;;
    *) refuse "an unknown option" ;;
  esac
  shift 2
done
[ "$top" != default ] || top=10
case $resource in cpu | memory | io | network) ;; *) refuse "resource must be cpu, memory, io or network" ;; esac
is_number "$top" 1 50 || refuse "top must be 1 to 50"
case $mode in live | simulate) ;; *) refuse "mode must be live or simulate" ;; esac

seconds=3
# Lines "VALUE PID USER NAME" of one moment or of $seconds, biggest first; every name loses what is not plain.
plain() { tr -d '\000-\011\013-\037\177\042\134' | sort -rn | head -n "$top"; }

io_moment() {
  for pid in $(ps -eo pid= 2>/dev/null); do
    awk -v pid="$pid" '/^(read|write)_bytes:/ { s += $2 } END { if (NR) print pid, s + 0 }' "/proc/$pid/io" 2>/dev/null || true
  done
}
with_names() {
  while read -r value pid; do
    # shellcheck disable=SC2046 # two words or more
    set -- $(ps -o user:32=,comm= -p "$pid" 2>/dev/null || true)
    [ $# -ge 2 ] || continue
    user=$1
    shift
    printf '%s %s %s %s\n' "$value" "$pid" "$user" "$*"
  done
}

# The systemd unit that holds a process, by its control group, which no process can choose for itself: the outermost, so
# that what runs in a container counts for that; `user.slice` for whatever a user started; `-` for neither.
unit_of() {
  awk -F : '$1 == "0" || $2 == "name=systemd" {
    sub(/^[^:]*:[^:]*:/, "")
    if ($0 ~ /^\/user\.slice(\/|$)/) { print "user.slice"; exit }
    n = split($0, part, "/")
    for (i = 1; i <= n; i++) if (part[i] ~ /\.(service|scope)$/) { print part[i]; exit }
    exit
  }' "/proc/$1/cgroup" 2>/dev/null | tr -cd 'A-Za-z0-9_.@:\n-' | cut -c1-128 | grep . || echo -
}
with_units() {
  while read -r value pid rest; do
    [ -n "$rest" ] || continue
    printf '%s %s %s %s\n' "$value" "$pid" "$(unit_of "$pid")" "$rest"
  done
}
sum() { awk '{ s += $1 } END { printf "%.1f", s }'; }

total='' capacity=''
case $resource in
  cpu)
    unit=percent
    say "load: $(cut -d ' ' -f 1-3 /proc/loadavg), processors: $(getconf _NPROCESSORS_ONLN)"
    # The second of two samples: the first is since each process began.
    all=$(HOME=/nonexistent bounded 30 top -b -n 2 -d "$seconds" -w 200 |
      awk '/^ *PID +USER/ { sample++; next } sample == 2 && $9 + 0 > 0 { name = $12; for (i = 13; i <= NF; i++) name = name " " $i; print $9, $1, $2, name }')
    lines=$(printf '%s\n' "$all" | plain)
    total=$(printf '%s\n' "$all" | sum)
    capacity=$(($(getconf _NPROCESSORS_ONLN) * 100))
    ;;
  memory)
    unit=kibibytes
    awk '/^(MemTotal|MemAvailable|SwapTotal|SwapFree):/ { printf "%s %s kB  ", $1, $2 } END { print "" }' /proc/meminfo
    all=$(bounded 30 ps -eo rss=,pid=,user:32=,comm= | awk '$1 > 0' | sed 's/^ *//; s/  */ /g')
    lines=$(printf '%s\n' "$all" | plain)
    total=$(printf '%s\n' "$all" | sum)
    capacity=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
    ;;
  io)
    unit=bytes_per_second
    [ "$(id -u)" = 0 ] || say 'not root: only own processes are seen'
    first=$(io_moment)
    sleep "$seconds"
    second=$(io_moment)
    lines=$(printf '%s\n--\n%s\n' "$first" "$second" |
      awk -v t="$seconds" '$1 == "--" { later = 1; next } !later { a[$1] = $2; next } ($1 in a) && $2 > a[$1] { printf "%.0f %s\n", ($2 - a[$1]) / t, $1 }' |
      sort -rn | head -n "$top" | with_names | plain)
    ;;
  network)
    unit=connections
    traffic() { awk 'NR > 2 { sub(":", " "); if ($1 != "lo") { r += $2; s += $10 } } END { printf "%.0f %.0f\n", r, s }' /proc/net/dev; }
    first=$(traffic)
    sleep "$seconds"
    second=$(traffic)
    # shellcheck disable=SC2086 # two words each
    set -- $first $second
    say "received $((($3 - $1) / seconds)) bytes/s, sent $((($4 - $2) / seconds)) bytes/s (without lo)"
    command -v ss >/dev/null || { say 'ss is missing'; result tool_missing 9; }
    lines=$(bounded 30 ss -H -t -u -n -p -a | grep -o 'pid=[0-9]*' | cut -d = -f 2 | sort | uniq -c | awk '{ print $1, $2 }' |
      sort -rn | head -n "$top" | with_names | plain)
    ;;
esac

printf '%16s %8s  %-16s %s\n' "$unit" PID USER NAME
printf '%s\n' "$lines" | awk 'NF >= 4 { name = $4; for (i = 5; i <= NF; i++) name = name " " $i; printf "%16s %8s  %-16s %s\n", $1, $2, $3, name }'
list=$(printf '%s\n' "$lines" | with_units | awk 'NF >= 5 { name = $5; for (i = 6; i <= NF; i++) name = name " " $i; printf "%s{\"pid\":%d,\"user\":\"%s\",\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\"}", (n++ ? "," : ""), $2, $4, substr(name, 1, 40), $1 + 0, ($3 == "-" ? "" : $3) }')
result analyzed 0 "\"resource\":\"$resource\",\"unit\":\"$unit\"${total:+,\"total\":$total}${capacity:+,\"capacity\":$capacity},\"top\":[$list]"
