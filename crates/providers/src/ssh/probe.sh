# Prints what `probe.rs` reads: one fact a line, its name first. Plain POSIX sh; it changes nothing on the host, and
# what the host does not have is left out.
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
echo 'roadstead-probe 1'
echo "hostname $(uname -n)"
echo "kernel $(uname -sr)"
echo "machine $(uname -m)"
if [ -r /etc/os-release ]; then
    echo "os $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d '"')"
fi
if [ -r /proc/uptime ]; then
    echo "uptime $(cat /proc/uptime)"
else
    booted=$(sysctl -n kern.boottime 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
    [ -n "$booted" ] && echo "uptime $(($(date +%s) - booted))"
fi
if [ -r /proc/loadavg ]; then
    echo "load $(cat /proc/loadavg)"
else
    echo "load $(uptime 2>/dev/null | sed -n 's/.*load average[s]*: *//p' | tr ',' ' ')"
fi
if [ -r /proc/meminfo ]; then
    echo "memory $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p; s/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo | tr '\n' ' ')"
else
    echo "memory $(($(sysctl -n hw.physmem 2>/dev/null || sysctl -n hw.memsize 2>/dev/null || echo 0) / 1024))"
fi
echo "cores $(getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null)"
echo "users $(who 2>/dev/null | wc -l)"
if command -v ip >/dev/null 2>&1; then
    ip -o addr 2>/dev/null | while read -r _ _ family address _; do
        case $family in inet*) echo "address $address" ;; esac
    done
elif command -v ifconfig >/dev/null 2>&1; then
    ifconfig -a 2>/dev/null | sed -n 's/^[[:space:]]*inet6*[[:space:]][[:space:]]*\(addr:\)*[[:space:]]*\([0-9a-fA-F.:]*\).*/address \2/p'
else
    for address in $(hostname -I 2>/dev/null); do echo "address $address"; done
fi
# Only local file systems where df can tell: one on a server that is gone would hang it.
{ df -kPl 2>/dev/null || df -kP 2>/dev/null; } | sed -n 's/^/disk /p'
echo 'end'
exit 0
