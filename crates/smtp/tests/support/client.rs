//! Client events as lines.

use smtp::client::Event;

/// A line for each event.
pub(crate) fn shown(event: &Event) -> String {
    match event {
        Event::Greeting(reply) => format!("greeting {}", reply.code()),
        Event::Ready(reply) => format!("ready {}", reply.code()),
        Event::HelloRefused(reply) => format!("hello refused {}", reply.code()),
        Event::Unusable { stage, reply } => format!("unusable {stage} {}", reply.code()),
        Event::StartTls(reply) => format!("starttls {}", reply.code()),
        Event::Mail(reply) => format!("mail {}", reply.code()),
        Event::Rcpt { index, reply } => format!("rcpt {index} {}", reply.code()),
        Event::DataRefused(reply) => format!("data refused {}", reply.code()),
        Event::SendContent => "send content".into(),
        Event::ContentRefused(reply) => format!("content refused {}", reply.code()),
        Event::Done(reply) => format!("done {}", reply.code()),
        Event::RecipientDone { index, reply } => format!("recipient {index} done {}", reply.code()),
        Event::Over { usable } => format!("over usable={usable}"),
        Event::Auth(reply) => format!("auth {}", reply.code()),
        Event::Goodbye(reply) => format!("goodbye {}", reply.code()),
    }
}
