//! The language of what is said to people.

use explain::Lang;

use crate::cli::Language;

/// What was asked for, else the language of the environment as POSIX has it: LC_ALL, then
/// LC_MESSAGES, then LANG.
pub(crate) fn chosen(asked: Option<Language>) -> Lang {
    if let Some(language) = asked {
        return language.into();
    }
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    set.and_then(|value| value.parse().ok()).unwrap_or_default()
}
