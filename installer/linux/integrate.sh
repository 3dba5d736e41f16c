#!/bin/sh
# Adds this folder's Hearth to your account: menu entry, icons, file type, hearth:// links, user unit, and the two commands in
# ~/.local/bin. Run it again after moving the folder; --remove takes everything back. Data is not touched.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
config=${XDG_CONFIG_HOME:-$HOME/.config}
bin=$HOME/.local/bin
files() { (cd "$here/share" && find icons mime/packages -type f); }

case ${1:-} in
  "")
    mkdir -p "$bin" "$data/applications" "$config/systemd/user"
    for program in hearth hearth-desktop; do
      [ ! -x "$here/bin/$program" ] || ln -sfn "$here/bin/$program" "$bin/$program"
    done
    sed "s#^Exec=[^ ]*#Exec=\"$here/bin/hearth-desktop\"#" "$here/share/applications/hearth-desktop.desktop" > "$data/applications/hearth-desktop.desktop"
    files | while read -r file; do mkdir -p "$data/$(dirname "$file")"; cp "$here/share/$file" "$data/$file"; done
    cp "$here/lib/systemd/user/hearth.service" "$config/systemd/user/hearth.service"
    ;;
  --remove)
    for program in hearth hearth-desktop; do
      case $(readlink "$bin/$program" 2>/dev/null || true) in */bin/$program) rm -f "$bin/$program" ;; esac
    done
    rm -f "$data/applications/hearth-desktop.desktop" "$config/systemd/user/hearth.service" "$config/autostart/hearth-desktop.desktop"
    files | while read -r file; do rm -f "$data/$file"; done
    ;;
  *)
    sed -n '2,3p' "$0"
    exit 2
    ;;
esac
# What keeps lists of these files makes them anew; a system without one of them needs none.
update-desktop-database "$data/applications" >/dev/null 2>&1 || true
update-mime-database "$data/mime" >/dev/null 2>&1 || true
gtk-update-icon-cache -qtf "$data/icons/hicolor" >/dev/null 2>&1 || true
systemctl --user daemon-reload >/dev/null 2>&1 || true
