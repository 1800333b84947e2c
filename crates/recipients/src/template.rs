//! From a name to the path of a mailbox.

use std::path::PathBuf;

/// Where mailboxes are: an absolute path with `{domain}` and `{user}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// The text is no such template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin with `maildir:/`.
    #[error("write an absolute path, like \"maildir:/var/mail/{{domain}}/{{user}}\"")]
    NotAbsolute,
    /// All would have the same mailbox.
    #[error("`{{user}}` is missing: all would have the same mailbox")]
    NoUser,
    /// A brace that is none of the two.
    #[error("only `{{user}}` and `{{domain}}` can stand in braces")]
    Braces,
    /// A component `..`.
    #[error("`..` has no place in it")]
    Upwards,
}

/// The longest name of a directory on the file systems in use.
const LONGEST_NAME: usize = 255;

impl Template {
    /// Reads `maildir:/var/mail/{domain}/{user}`.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let path = text.strip_prefix("maildir:").unwrap_or(text);
        let rest = path.replace("{user}", "").replace("{domain}", "");
        if !path.starts_with('/') {
            Err(TemplateError::NotAbsolute)
        } else if !path.contains("{user}") {
            Err(TemplateError::NoUser)
        } else if rest.contains(['{', '}']) {
            Err(TemplateError::Braces)
        } else if path.split('/').any(|part| part == "..") {
            Err(TemplateError::Upwards)
        } else {
            Ok(Template(path.to_owned()))
        }
    }

    /// The path of a mailbox; `None` where the name or domain can be no directory's name: nothing of
    /// them must lead elsewhere.
    #[must_use]
    pub fn path(&self, user: &str, domain: &str) -> Option<PathBuf> {
        if !is_safe(user) || !is_safe(domain) {
            return None;
        }
        let parts = self.0.split('/').map(|part| {
            // One pass: braces that a name brings are no places.
            let mut made = String::with_capacity(part.len() + user.len());
            let mut rest = part;
            while let Some(open) = rest.find('{') {
                made.push_str(&rest[..open]);
                let (value, length) = match rest[open..].starts_with("{user}") {
                    true => (user, "{user}".len()),
                    false => (domain, "{domain}".len()),
                };
                made.push_str(value);
                rest = &rest[open + length..];
            }
            made.push_str(rest);
            made
        });
        let parts: Vec<String> = parts.collect();
        let fits = parts.iter().all(|part| part.len() <= LONGEST_NAME);
        fits.then(|| PathBuf::from(parts.join("/")))
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "maildir:{}", self.0)
    }
}

/// Whether a text can be part of a directory's name and nothing else.
fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|c| c == '/' || c == '\\' || c.is_control())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn template() -> Template {
        Template::parse("maildir:/var/mail/{domain}/{user}").unwrap()
    }

    #[test]
    fn a_mailbox_lies_below_the_directory_of_its_domain() {
        let path = template().path("anna", "ours.example").unwrap();
        assert_eq!(path, Path::new("/var/mail/ours.example/anna"));
        let path = Template::parse("/m/{user}/{domain}-{user}").unwrap();
        assert_eq!(path.path("a", "x").unwrap(), Path::new("/m/a/x-a"));
    }

    #[test]
    fn no_name_leads_out_of_it() {
        let long = "a".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "../etc",
            "../../etc/passwd",
            "a/b",
            "/etc",
            "a/../../b",
            ".hidden",
            "a\0b",
            "\0",
            "a\nb",
            "a\\b",
            &long,
        ] {
            assert_eq!(template().path(name, "ours.example"), None, "{name:?}");
            assert_eq!(template().path("anna", name), None, "{name:?}");
        }
        // Braces are as good as any other character, and no places.
        let path = template().path("{domain}", "ours.example").unwrap();
        assert_eq!(path, Path::new("/var/mail/ours.example/{domain}"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, error) in [
            ("maildir:mail/{user}", TemplateError::NotAbsolute),
            ("/var/mail", TemplateError::NoUser),
            ("/var/{home}/{user}", TemplateError::Braces),
            ("/var/../{user}", TemplateError::Upwards),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_the_path_stays_three_below_the_root(name in ".{0,300}", domain in ".{1,40}") {
            if let Some(path) = template().path(&name, &domain) {
                let parts: Vec<_> = path.components().collect();
                prop_assert_eq!(parts.len(), 5);
                prop_assert!(path.starts_with("/var/mail"));
                prop_assert_eq!(path.file_name().unwrap().to_str().unwrap(), name);
            }
        }
    }
}
