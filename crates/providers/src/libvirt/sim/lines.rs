//! Taking command lines apart: as a shell does, then as virsh does.

/// The words of a line in which `quote` stands around words with blanks.
fn words(line: &str, quote: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            c if c == quote => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

/// The commands that a call of virsh runs, each in words; none where the line is another's.
pub(super) fn commands(line: &str) -> Option<Vec<Vec<String>>> {
    let line = line.strip_prefix("cat | ").unwrap_or(line);
    let rest = line.strip_prefix("env LC_ALL=C virsh -q -c ")?;
    let mut words_of_shell = words(rest, '\'');
    let uri = words_of_shell.remove(0);
    if !["qemu:///system", "qemu:///session"].contains(&uri.as_str()) {
        return None;
    }
    match words_of_shell.as_slice() {
        [all] => Some(questions(all).iter().map(|question| words(question, '"')).collect()),
        _ => Some(vec![words_of_shell]),
    }
}

/// The pieces between semicolons that are in no quotes.
fn questions(all: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quoted = false;
    for character in all.chars() {
        quoted ^= character == '"';
        match (character, pieces.last_mut()) {
            (';', _) if !quoted => pieces.push(String::new()),
            (_, Some(piece)) => piece.push(character),
            (_, None) => {}
        }
    }
    pieces
}

/// The value of an option.
pub(super) fn option<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
}

/// Whether a switch is there.
pub(super) fn has(words: &[String], switch: &str) -> bool {
    words.iter().any(|word| word == switch)
}

#[cfg(test)]
mod tests {
    use super::{commands, option};

    #[test]
    fn lines_come_apart_as_virsh_would_have_it() {
        let all =
            commands("env LC_ALL=C virsh -q -c qemu:///system 'echo \"<<<a>\"; vol-dumpxml \"--vol=a; b\"'")
                .unwrap();
        assert_eq!(all, [vec!["echo", "<<<a>"], vec!["vol-dumpxml", "--vol=a; b"]]);
        assert_eq!(option(&all[1], "vol"), Some("a; b"));
        let one = commands("cat | env LC_ALL=C virsh -q -c qemu:///system define --file=/dev/stdin").unwrap();
        assert_eq!(one, [["define", "--file=/dev/stdin"]]);
        assert_eq!(commands("env LC_ALL=C virsh -q -c qemu+ssh://x/ list"), None);
        assert_eq!(commands("reboot"), None);
    }
}
