# Functions that put an agent on a machine. Each can be called again and leaves alone what is there already. They go by:
#   program, folder        where the program and the agent's own files are put
#   alone                  "yes" to touch nothing beside the two
#   architecture, sha256   what the program is for, and what it has to be
#   server, name           the server's address, and the agent's name; the host's where empty

fail() {
    echo "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

sum() {
    if [ -f "$1" ]; then sha256sum "$1" | cut -d ' ' -f 1; fi
}

# Tells what is there, a line a fact. The arguments are paths that may be worth a backup.
look() {
    echo "system=$(uname -s)"
    echo "architecture=$(uname -m)"
    echo "user=$(id -un 2>/dev/null || id -u)"
    echo "uid=$(id -u)"
    for tool in head sha256sum cut mkdir chmod mv; do
        has "$tool" || echo "missing=$tool"
    done
    echo "sha256=$(sum "$program")"
    if [ -e "$folder/agent.json" ]; then echo "enrolled=yes"; fi
    for path in "$@"; do
        if [ -e "$path" ]; then echo "there=$path"; fi
    done
}

make_folders() {
    mkdir -p "${program%/*}" "$folder" && chmod 700 "$folder"
}

# Takes what was fetched as the program from now on, if it is that and runs here.
place() {
    if [ "$(sum "$program.new")" != "$sha256" ]; then
        rm -f "$program.new"
        fail "what arrived is not the program that was sent"
    fi
    chmod 755 "$program.new"
    if ! "$program.new" --version >/dev/null; then
        rm -f "$program.new"
        fail "the program does not run on this machine"
    fi
    mv -f "$program.new" "$program"
}

# The server may have a certificate of its own CA; it is the hash that says whether the right program came.
fetch() {
    if has curl; then
        curl -fsSk --retry 5 -o "$program.new" "$server/download/roadstead"
    elif has wget; then
        wget -q --no-check-certificate -O "$program.new" "$server/download/roadstead"
    else
        fail "this needs curl or wget"
    fi || fail "the program could not be fetched from $server"
}

# The token comes by standard input.
enrol() {
    if [ -n "$name" ]; then set -- --name "$name"; else set --; fi
    "$program" agent enroll --server "$server" --token-file - --data-dir "$folder" "$@"
}

# Forgets an agent that its server does not know any more.
forget() {
    stop
    mv -f "$folder/agent.json" "$folder/agent.json.forgotten"
    rm -f "$folder/key.pem"
}

is_running() {
    pid=$(cat "$folder/agent.pid" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null &&
        grep -q roadstead "/proc/$pid/cmdline" 2>/dev/null
}

stop() {
    if [ -z "$alone" ] && [ -d /run/systemd/system ] && has systemctl; then
        systemctl stop roadstead-agent 2>/dev/null
    elif is_running; then
        kill "$pid"
        tries=0
        while is_running && [ "$tries" -lt 20 ]; do
            sleep 1
            tries=$((tries + 1))
        done
    fi
}

# Starts the agent; anew if the argument is "yes".
start() {
    if [ -z "$alone" ] && [ -d /run/systemd/system ] && has systemctl; then
        unit >/etc/systemd/system/roadstead-agent.service
        chmod 644 /etc/systemd/system/roadstead-agent.service
        systemctl daemon-reload && systemctl enable --quiet roadstead-agent || return 1
        if [ "$1" = yes ]; then systemctl restart roadstead-agent; else systemctl start roadstead-agent; fi
        return
    fi
    if is_running; then
        [ "$1" = yes ] || return 0
        stop
    fi
    if has setsid; then apart=setsid; else apart=nohup; fi
    (
        cd /
        umask 077
        $apart "$program" agent run --data-dir "$folder" </dev/null >>"$folder/agent.log" 2>&1 &
        echo $! >"$folder/agent.pid"
    )
}

# What an agent that did not come says.
last_words() {
    if [ -f "$folder/agent.log" ]; then
        tail -n 3 "$folder/agent.log"
    elif has journalctl; then
        journalctl --quiet --unit roadstead-agent --lines 3 --output cat
    fi
}

# All of it, for a machine that the server cannot log in to. The token comes by standard input.
install() {
    [ "$(uname -s) $(uname -m)" = "Linux $architecture" ] || fail "the program is for Linux on $architecture"
    [ "$(id -u)" = 0 ] || [ -n "$alone" ] || fail "this has to be run as root"
    make_folders || fail "the folders cannot be made"
    changed=
    if [ "$(sum "$program")" != "$sha256" ]; then
        fetch
        place
        changed=yes
    fi
    if [ ! -e "$folder/agent.json" ]; then
        enrol || exit 1
    fi
    start "$changed"
}
