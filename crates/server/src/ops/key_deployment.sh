# Adds a line to a user's authorized_keys, or takes it away. They go by:
#   user    whose file it is
#   blob    what the key is known by
#   line    what is added

fail() {
    echo "$*" >&2
    exit 1
}

own() {
    if [ "$(id -u)" = 0 ]; then chown "$user" "$1"; fi
}

find_file() {
    home=
    if [ "$(id -un)" = "$user" ]; then
        home=$HOME
    elif [ "$(id -u)" = 0 ]; then
        while IFS=: read -r name _ _ _ _ folder _; do
            if [ "$name" = "$user" ]; then home=$folder; fi
        done </etc/passwd
        if [ -z "$home" ]; then home=$(getent passwd "$user" 2>/dev/null | cut -d : -f 6); fi
    else
        fail "the login there is that of $(id -un), who may not write what is $user's"
    fi
    [ -n "$home" ] || fail "there is no user $user"
    file=$home/.ssh/authorized_keys
    if [ "$(id -un)" = "$user" ]; then
        if [ -L "$file" ]; then file=$(readlink -f "$file"); fi
    elif [ -L "$home/.ssh" ] || [ -L "$file" ]; then
        # It could lead root to files that are none of the user's.
        fail "$file is a link, or lies behind one, which root does not follow"
    fi
}

add() {
    find_file
    umask 077
    if [ ! -d "$home/.ssh" ]; then
        mkdir -p "$home/.ssh" && own "$home/.ssh" || exit 1
    fi
    if grep -qF "$blob" "$file" 2>/dev/null; then return; fi
    if [ ! -e "$file" ]; then
        (set -C && : >"$file") && own "$file" || exit 1
    fi
    # A last line without an end would take the new one for its own.
    if [ -n "$(tail -c 1 "$file")" ]; then echo >>"$file" || exit 1; fi
    printf '%s\n' "$line" >>"$file" || exit 1
    echo changed
}

remove() {
    find_file
    if ! grep -qF "$blob" "$file" 2>/dev/null; then return; fi
    rest=$(grep -vF "$blob" "$file")
    # Beside it and renamed: on a full disk the other keys stay.
    umask 077
    rm -f "$file.new"
    (set -C && if [ -n "$rest" ]; then printf '%s\n' "$rest"; fi >"$file.new") && own "$file.new" &&
        mv -f "$file.new" "$file" || exit 1
    echo changed
}

