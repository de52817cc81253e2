#!/bin/sh
# Causes one situation on a host of the lab, or undoes it: break.sh <situation>|mend [host]
#
# Everything that goes on by itself ends by itself: LAB_MINUTES after it began (30 by default).
set -eu
usage='usage: npm run lab:break -- <situation> [host]
Causes one situation on a host of the lab, web-01 by default; mend undoes it.
situations: disk-full inodes-full nginx-dies cpu-eaten memory-leak application-hangs host-unreachable flapping-service storm; mend'
for word; do
  case $word in -h | --help) echo "$usage"; exit 0 ;; esac
done
misused() { printf '%s\n\n%s\n' "$1" "$usage" >&2; exit 2; }
[ $# -le 2 ] || misused "Unexpected argument '$3'."
here=$(cd "$(dirname "$0")" && pwd)
situation=${1:-}
host=${2:-web-01}
minutes=${LAB_MINUTES:-30}
# Processors to burn, and mebibytes to leak; 0 is all of them, and 70 % of the memory.
processors=${LAB_PROCESSORS:-0}
leak=${LAB_LEAK_MIB:-0}
beat=${LAB_FLAP_SECONDS:-60}

compose() { docker compose -f "$here/compose.yaml" "$@"; }
# on LINE [WORD...]: a shell line on the host; the words are its $1, $2…
on() { line=$1; shift; compose exec -T "$host" sh -ec "$line" lab "$@"; }
# keep UNIT LINE [WORD...]: the same, going on in the background, as a unit of its own
# shellcheck disable=SC2016
keep() {
  unit=$1 line=$2; shift 2
  on 'unit=$1 seconds=$2; shift 2
    systemctl stop "$unit" 2>/dev/null || true
    systemd-run -q --unit="$unit" --collect -p RuntimeMaxSec="$seconds" sh -c "$@"' "$unit" "$((minutes * 60))" "$line" lab "$@"
}

# shellcheck disable=SC2016 # the lines expand on the host, not here
case $situation in
  disk-full)
    on 'mkdir -p /srv/data/tmp; i=0
      while head -c 500000 /dev/zero >"/srv/data/tmp/old-$i.tmp" 2>/dev/null; do
        touch -d "30 days ago" "/srv/data/tmp/old-$i.tmp"; i=$((i + 1)); done
      touch -d "30 days ago" /srv/data/tmp/old-*.tmp; df -h /srv/data | tail -n 1'
    ;;
  inodes-full)
    on 'mkdir -p /srv/data/tmp; free=$(df --output=iavail /srv/data | tail -n 1)
      seq -f "/srv/data/tmp/n-%.0f.tmp" "$((free))" | xargs touch -d "30 days ago"; df -i /srv/data | tail -n 1'
    ;;
  nginx-dies) on 'systemctl kill -s KILL nginx' ;;
  cpu-eaten)
    keep lab-cpu-eater 'n=$1; [ "$n" -gt 0 ] || n=$(nproc)
      while [ "$n" -gt 0 ]; do while :; do :; done & n=$((n - 1)); done; wait' "$processors"
    ;;
  memory-leak)
    # 8 MiB at a time, as a leak does it; then it stays as it is.
    keep lab-memory-leak 'mib=$1; [ "$mib" -gt 0 ] || mib=$(awk "/^MemTotal/ { printf \"%.0f\", \$2 * 0.7 / 1024 }" /proc/meminfo)
      exec perl -e "while (@leak * 8 < \$ARGV[0]) { push @leak, q(x) x 8388608; select undef, undef, undef, 0.1 } sleep" "$mib"' "$leak"
    ;;
  application-hangs) on 'systemctl kill -s STOP nginx' ;;
  host-unreachable) compose pause "$host" ;;
  flapping-service)
    keep lab-flapping 'while :; do systemctl stop nginx; sleep "$1"; systemctl start nginx; sleep "$1"; done' "$beat"
    ;;
  storm)
    for host in web-01 app-01 db-01; do
      # cron is stopped: killed, systemd would bring it back.
      on 'systemctl kill -s KILL nginx; systemctl stop cron' || echo "$host could not be reached" >&2
    done
    host='web-01, app-01 and db-01'
    ;;
  mend)
    compose unpause "$host" 2>/dev/null || true
    on 'systemctl stop lab-cpu-eater lab-memory-leak lab-flapping 2>/dev/null || true
      systemctl kill -s CONT nginx 2>/dev/null || true
      systemctl reset-failed nginx cron 2>/dev/null || true
      systemctl restart nginx cron
      find /srv/data/tmp -xdev -maxdepth 1 -type f \( -name "old-*.tmp" -o -name "n-*.tmp" \) -delete 2>/dev/null || true'
    ;;
  '') misused 'The situation is missing.' ;;
  *) misused "There is no situation $situation." ;;
esac
echo "$situation on $host"
