//! Messages as JSON.

use std::sync::Arc;

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use crate::kept::Message;

/// The decoded subject; empty where there is none.
pub(super) fn subject(message: &Message) -> String {
    let parsed = MessageParser::new().parse_headers(&message.content[..]);
    let subject = parsed.as_ref().and_then(|parsed| parsed.subject());
    subject.unwrap_or_default().to_owned()
}

/// `{"count": N, "messages": […]}`.
pub(super) fn list(messages: &[Arc<Message>]) -> Value {
    let rows: Vec<Value> = messages.iter().map(|one| envelope(one)).collect();
    json!({ "count": rows.len(), "messages": rows })
}

/// What came with the message, and its subject.
fn envelope(message: &Message) -> Value {
    // A message is a plain structure: it can always be written as JSON.
    let mut value = serde_json::to_value(message).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("subject".to_owned(), subject(message).into());
    }
    value
}

/// A message with its header, its texts, and the names of what is attached.
pub(super) fn whole(message: &Message) -> Value {
    let mut value = envelope(message);
    let Some(parsed) = MessageParser::new().parse(&message.content[..]) else {
        return value;
    };
    let headers: Vec<Value> = parsed
        .headers_raw()
        .map(|(name, text)| json!([name, text.trim()]))
        .collect();
    let attachments: Vec<Value> = parsed
        .attachments()
        .map(|part| {
            let kind = part.content_type();
            let kind = kind.map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()),
                None => kind.ctype().to_owned(),
            });
            json!({ "name": part.attachment_name(), "type": kind, "size": part.contents().len() })
        })
        .collect();
    if let Value::Object(fields) = &mut value {
        fields.insert("headers".to_owned(), headers.into());
        fields.insert("text".to_owned(), parsed.body_text(0).into());
        fields.insert("html".to_owned(), parsed.body_html(0).into());
        fields.insert("attachments".to_owned(), attachments.into());
    }
    value
}
