#!/bin/sh
# Passes a message on to a team, from a host that can: into the system log always, and where the administrator says.
#
#   notify.sh --message TEXT [--team NAME] [--priority low|normal|high|critical] [--link URL] [--mode live|simulate]
#
# /etc/remedia/teams says where a team is told, one a line, `*` for every other: TEAM : KIND : TARGET
#   mail : ADDRESS (by sendmail) | command : /ABSOLUTE/PATH (the message on its standard input) | log : -
# Without that file the log is all, and Rundeck's own notifications of the job do the rest.
#
# Needs no root. The text is hostile: it is no word of any command, only something that a command reads.
set -eu
tool=notify
# shellcheck source=rundeck/host/common.sh
. "$(dirname "$0")/common.sh"

message='' team=default priority=default link='' mode=live
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || refuse "an option without a value"
  case $1 in
    --message) message=$2 ;;
    --team) team=$2 ;;
    --priority) priority=$2 ;;
    --link) link=$2 ;;
    --mode) mode=$2 ;;
    *) refuse "an unknown option" ;;
  esac
  shift 2
done
# One line, for a second one could be read as another header, address or log entry. Counted in bytes here.
is_one_line() {
  [ -n "$1" ] && [ "${#1}" -le "$2" ] && [ "$(printf '%s' "$1" | tr -d '\000-\037\177' | wc -c)" -eq "${#1}" ]
}
is_one_line "$message" 1200 || refuse "message must be one line of up to 1200 bytes"
[ "$priority" != default ] || priority=normal
[ "$team" != default ] || team=''
case $team in
  '') ;;
  [!A-Za-z0-9]* | *[!A-Za-z0-9\ _.-]* | *' ') refuse "team must be a plain name" ;;
esac
[ "${#team}" -le 64 ] || refuse "team must be a plain name"
case $priority in
  low) level=info ;; normal) level=notice ;; high) level=err ;; critical) level=crit ;;
  *) refuse "priority must be low, normal, high or critical" ;;
esac
case $link in
  '') ;;
  http://?* | https://?*) case $link in *[!!-~]*) refuse "link must be a web address" ;; esac ;;
  *) refuse "link must be a web address" ;;
esac
[ "${#link}" -le 520 ] || refuse "link must be a web address"
case $mode in live | simulate) ;; *) refuse "mode must be live or simulate" ;; esac

kind=log target=-
table=/etc/remedia/teams
if [ -e "$table" ]; then
  only_root_writes "$table" || refuse "$table must belong to root and be writable by root alone"
  [ -r "$table" ] || refuse "$table must be readable by Rundeck's user"
  # The name goes in by the environment: awk would read backslashes in a -v.
  line=$(TEAM=$team awk -F ' *: *' '/^ *(#|$)/ { next } { sub(/^ +/, ""); sub(/ +$/, "") }
    ENVIRON["TEAM"] != "" && $1 == ENVIRON["TEAM"] { own = $2 " " $3; exit }
    $1 == "*" && rest == "" { rest = $2 " " $3 }
    END { print own != "" ? own : rest }' "$table")
  if [ -n "$line" ]; then
    kind=${line%% *}
    target=${line#* }
  else
    kind=nobody
  fi
fi
case $kind in
  log | nobody) target=- ;;
  mail)
    case $target in
      [!A-Za-z0-9]* | *[!A-Za-z0-9._+@-]* | *@*@* | *@ | *@-*) refuse "$table names no plain mail address" ;;
      *@*) ;;
      *) refuse "$table names no plain mail address" ;;
    esac
    ;;
  command)
    is_plain_path "$target" || refuse "$table names no plain absolute command"
    if [ ! -f "$target" ] || [ ! -x "$target" ]; then say "$target is missing"; result tool_missing 9; fi
    only_root_writes "$target" || refuse "$target must belong to root and be writable by root alone"
    ;;
  *) refuse "$table names an unknown kind" ;;
esac
facts="\"team\":\"$(json_text "$team")\",\"priority\":\"$priority\",\"by\":\"$kind\",\"mode\":\"$mode\""

if [ "$mode" = simulate ]; then
  say "would tell ${team:-nobody in particular} ($priority) by $kind $target: $message"
  [ "$kind" != nobody ] || result unknown_team 5 "$facts"
  result would_notify 0 "$facts"
fi

# What is told, as lines: the text first, then what it is about.
letter() {
  printf '%s\n\nteam: %s\npriority: %s\n' "$message" "${team:--}" "$priority"
  [ -z "$link" ] || printf 'link: %s\n' "$link"
}

logged=false
if command -v logger >/dev/null; then
  printf '%s (team %s%s)\n' "$message" "${team:--}" "${link:+, $link}" |
    bounded 10 logger -t remedia -p "user.$level" && logged=true
fi
facts="$facts,\"logged\":$logged"

case $kind in
  nobody)
    say "$table knows neither the team nor any other"
    result unknown_team 5 "$facts"
    ;;
  log)
    if [ "$logged" = true ]; then say "written to the system log"; result logged 0 "$facts"; fi
    say 'the system log takes nothing'
    result not_delivered 7 "$facts"
    ;;
  mail)
    sendmail=$(command -v sendmail || true)
    [ -n "$sendmail" ] || { say 'sendmail is missing'; result tool_missing 9 "$facts"; }
    # In base64 no line of the text can be a header, a lone dot, or too long for a mail server.
    {
      printf 'To: %s\nSubject: [%s] %s\n' "$target" "$priority" "$(printf '%s' "$message" | tr -c ' -~' '?' | cut -c1-150)"
      printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\nAuto-Submitted: auto-generated\n\n'
      letter | base64
    } | bounded 60 "$sendmail" -i -- "$target" || { say 'sendmail failed'; result not_delivered 7 "$facts"; }
    ;;
  command)
    letter | bounded 60 "$target" || { say "$target failed"; result not_delivered 7 "$facts"; }
    ;;
esac
say "told ${team:-whoever is told when no team is named} ($priority) by $kind $target"
result notified 0 "$facts"
