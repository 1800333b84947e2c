//! sendmail's options, glued to their values or not, as its many callers write them.

use std::ffi::OsString;

use super::{Refused, Status};

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Hand in the message on the standard input (`-bm`, the default).
    #[default]
    Deliver,
    /// Speak SMTP on the standard input and output (`-bs`).
    Smtp,
    /// List the queue (`-bp`).
    List,
    /// Asked to run the queue (`-q`) or rebuild aliases (`-bi`): the server does what is needed.
    Nothing,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) mode: Mode,
    /// `-t`.
    pub(super) recipients_from_header: bool,
    /// `-i`, `-oi`: a line with a single dot does not end the message.
    pub(super) ignore_dots: bool,
    /// `-f`, `-r`.
    pub(super) sender: Option<String>,
    /// `-F`.
    pub(super) full_name: Option<String>,
    pub(super) recipients: Vec<String>,
}

/// Options with a value that is read and has no effect here: body type, DSN wishes, queue ids and
/// tags, configuration, debugging, logs, macros.
const WITH_VALUE: &str = "BCDdhLMNOpRVX";
/// Options without a value that have no effect here.
const WITHOUT_VALUE: &str = "AGnUvmse";

impl Arguments {
    pub(super) fn read(words: &[OsString]) -> Result<Arguments, Refused> {
        let usage = |text: String| Refused::new(Status::Usage, text);
        let mut arguments = Arguments::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let word = word
                .to_str()
                .ok_or_else(|| usage(format!("{word:?} is not UTF-8")))?;
            if word == "--" {
                for recipient in rest {
                    let text = recipient
                        .to_str()
                        .ok_or_else(|| usage(format!("{recipient:?} is not UTF-8")))?;
                    arguments.add_recipients(text);
                }
                break;
            }
            let Some(option) = word.strip_prefix('-').filter(|o| !o.is_empty()) else {
                arguments.add_recipients(word);
                continue;
            };
            let (letter, glued) = option.split_at(option.chars().next().map_or(0, char::len_utf8));
            let mut value = || {
                if !glued.is_empty() {
                    return Ok(glued.to_owned());
                }
                let next = rest.next().and_then(|w| w.to_str()).map(str::to_owned);
                next.ok_or_else(|| usage(format!("-{letter} needs a value")))
            };
            match letter {
                "t" | "i" if glued.is_empty() => arguments.flag(letter),
                // -ti and -it are common.
                "t" | "i" if glued.chars().all(|c| matches!(c, 't' | 'i')) => {
                    arguments.flag("t");
                    arguments.flag("i");
                }
                "f" | "r" => arguments.sender = Some(value()?),
                "F" => arguments.full_name = Some(value()?),
                "b" => arguments.mode = mode(glued).ok_or_else(|| usage(unknown_mode(glued)))?,
                "q" => arguments.mode = Mode::Nothing,
                "o" => {
                    if value()? == "i" {
                        arguments.ignore_dots = true;
                    }
                }
                _ if WITH_VALUE.contains(letter) => {
                    value()?;
                }
                _ if WITHOUT_VALUE.contains(letter) => {}
                _ => return Err(usage(format!("unknown option -{option}"))),
            }
        }
        Ok(arguments)
    }

    fn flag(&mut self, letter: &str) {
        match letter {
            "t" => self.recipients_from_header = true,
            _ => self.ignore_dots = true,
        }
    }

    /// A word may name several, with commas.
    fn add_recipients(&mut self, word: &str) {
        let each = word.split(',').map(str::trim).filter(|r| !r.is_empty());
        self.recipients.extend(each.map(str::to_owned));
    }
}

fn mode(letter: &str) -> Option<Mode> {
    match letter {
        "m" => Some(Mode::Deliver),
        "s" => Some(Mode::Smtp),
        "p" => Some(Mode::List),
        "i" => Some(Mode::Nothing),
        _ => None,
    }
}

fn unknown_mode(letter: &str) -> String {
    match letter {
        "d" | "D" => "-bd: run the relay with `postrider serve`".to_owned(),
        _ => format!(
            "-b{letter} is not available; there are -bm (hand in), -bs (SMTP) and -bp (list the queue)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Refused> {
        let words: Vec<OsString> = line
            .split(' ')
            .filter(|w| !w.is_empty())
            .map(OsString::from)
            .collect();
        Arguments::read(&words)
    }

    #[test]
    fn options_are_read_as_callers_write_them() {
        let php = read("-t -i").unwrap();
        assert!(php.recipients_from_header && php.ignore_dots && php.recipients.is_empty());
        let cron = read("-FCronDaemon -i -B8BITMIME -oem root").unwrap();
        assert_eq!(
            (cron.full_name.as_deref(), &cron.recipients[..]),
            (Some("CronDaemon"), &["root".to_owned()][..])
        );
        let glued = read("-fa@b.example -oi -- -odd@c.example x@d.example,y@d.example").unwrap();
        assert_eq!(glued.sender.as_deref(), Some("a@b.example"));
        assert_eq!(
            glued.recipients,
            ["-odd@c.example", "x@d.example", "y@d.example"]
        );
        assert!(glued.ignore_dots);
        assert_eq!(
            read("-r a@b.example c@d.example")
                .unwrap()
                .sender
                .as_deref(),
            Some("a@b.example")
        );
        assert!(read("-ti").unwrap().ignore_dots && read("-it").unwrap().recipients_from_header);
        assert_eq!(
            read("-N never -R hdrs -V envid a@b").unwrap().recipients,
            ["a@b"]
        );
        for (line, mode) in [
            ("-bs", Mode::Smtp),
            ("-bp", Mode::List),
            ("-q", Mode::Nothing),
            ("-q15m", Mode::Nothing),
            ("-bm a@b", Mode::Deliver),
        ] {
            assert_eq!(read(line).unwrap().mode, mode, "{line}");
        }
    }

    #[test]
    fn wrong_use_says_what_is_wrong() {
        for (line, words) in [
            ("-f", "-f needs a value"),
            ("-bd", "postrider serve"),
            ("-bz", "-bz"),
            ("-Zx", "-Zx"),
        ] {
            let refused = read(line).unwrap_err();
            assert_eq!(refused.status, Status::Usage);
            assert!(refused.text.contains(words), "{}", refused.text);
        }
    }
}
