//! What is fed to the plain shell on a machine so that a script runs there in a group of its own, and ends with its input.
//!
//! Neither a login shell nor an argument list ever sees the script: it stands in the input of `sh`, between two lines that
//! it does not have in it. The script itself has no input. When the input of the wrapper ends, because somebody cancelled
//! or the server is gone, the script and all that it started are told to end, and are ended five seconds later.

use crate::{Result, random};

const BEFORE: &str = "{\nscript=$(cat <<'END'\n";

const AFTER: &str = "\nEND\n)
exec 3<&0
exec </dev/null
file=
if command -v setsid >/dev/null 2>&1; then apart=setsid group=-; else apart= group=; fi
case $script in
'#!'*)
    file=$(mktemp) && printf '%s\\n' \"$script\" >\"$file\" && chmod 700 \"$file\" || exit 126
    $apart \"$file\" 3<&- &
    ;;
*)
    $apart sh -c \"$script\" 3<&- &
    ;;
esac
child=$!
(
    cat <&3
    kill -TERM \"$group$child\"
    sleep 5
    kill -KILL \"$group$child\"
) >/dev/null 2>&1 &
watch=$!
wait \"$child\"
status=$?
kill \"$watch\" 2>/dev/null
[ -z \"$file\" ] || rm -f \"$file\"
exit \"$status\"
}
";

/// The input of a shell that runs this script.
pub fn wrapped(script: &str) -> Result<Vec<u8>> {
    let end = format!("roadstead-{}", random::id()?);
    let (before, after) = (BEFORE.replace("END", &end), AFTER.replace("END", &end));
    Ok([before.as_bytes(), script.as_bytes(), after.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        process::{Child, Command, Output, Stdio},
        time::{Duration, Instant},
    };

    use super::wrapped;

    fn started(script: &str) -> Child {
        let mut shell = Command::new("sh");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(&wrapped(script).unwrap()).unwrap();
        child
    }

    /// Runs a script to its own end, with the input held open.
    fn run(script: &str) -> Output {
        let mut child = started(script);
        let input = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(input);
        output
    }

    #[test]
    fn a_script_runs_as_it_stands() {
        let output = run("echo \"it's $((1 + 1))\"; echo oops >&2; cat; exit 7");
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"it's 2\n"[..], &b"oops\n"[..]));
        let script = "echo 'a\nb' \\\\ \"$(printf %s '`$x`')\"\n# END\ncat <<'END'\nx\nEND\n";
        assert_eq!(run(script).stdout, b"a\nb \\ `$x`\nx\n");
        assert_eq!(run("#!/bin/cat\nhello\n").stdout, b"#!/bin/cat\nhello\n");
        assert_eq!(run("no-such-program-here").status.code(), Some(127));
    }

    #[test]
    fn it_ends_with_its_input_and_takes_what_it_started_with_it() {
        let mut child = started("sleep 300 & echo up; wait");
        let mut up = [0; 3];
        child.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
        let begun = Instant::now();
        drop(child.stdin.take());
        // Its output closes once nobody holds it any more: the sleeper is gone, too.
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "{output:?}");
        assert!(begun.elapsed() < Duration::from_secs(200));
    }
}
