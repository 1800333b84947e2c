//! Writing Rust.

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// `&[a, b]`.
pub(crate) fn slice<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(one).collect();
    format!("&[{}]", items.join(", "))
}

/// `kebab-case` or `snake_case` as `CamelCase`.
pub(crate) fn camel(text: &str) -> String {
    text.split(['-', '_'])
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        })
        .collect()
}

/// `Some(…)` or `None`.
pub(crate) fn option<T>(value: Option<T>, one: impl Fn(T) -> String) -> String {
    value.map_or_else(
        || "None".to_owned(),
        |value| format!("Some({})", one(value)),
    )
}
