//! How recipients came of an address in a domain of ours, in a line.

use queue::Expansion;
use smtp::Address;

use crate::Lang;
use crate::layout::safe;
use crate::words::{plain, say};

/// One step of the way from the address that the client gave.
pub(crate) fn tell(step: &Expansion, lang: Lang) -> String {
    match step {
        Expansion::Became {
            address,
            into,
            more,
            by,
        } => {
            let mut names: Vec<String> = into.iter().map(name).collect();
            if *more > 0 {
                let more = u64::from(*more);
                names.push(say(lang, "story-and-others", &[("n", more.into())]));
            }
            let (address, into) = (name(address), names.join(", "));
            let by = safe(&by.to_string());
            let args = [
                ("address", (&address).into()),
                ("into", (&into).into()),
                ("by", (&by).into()),
            ];
            say(lang, "event-became", &args)
        }
        Expansion::LeftOut { address, by } => {
            let (address, by) = (name(address), safe(&by.to_string()));
            let args = [("address", (&address).into()), ("by", (&by).into())];
            say(lang, "event-left-out", &args)
        }
        Expansion::Owner { list, owner } => {
            pair(lang, "event-owner", ("list", list), ("owner", owner))
        }
        Expansion::Forwarded { sender, rewritten } => pair(
            lang,
            "event-forwarded",
            ("sender", sender),
            ("rewritten", rewritten),
        ),
        Expansion::Returned { rewritten, sender } => pair(
            lang,
            "event-returned",
            ("rewritten", rewritten),
            ("sender", sender),
        ),
    }
}

fn pair(lang: Lang, key: &str, a: (&str, &Address), b: (&str, &Address)) -> String {
    let (first, second) = (name(a.1), name(b.1));
    say(
        lang,
        key,
        &[(a.0, (&first).into()), (b.0, (&second).into())],
    )
}

fn name(address: &Address) -> String {
    safe(&address.to_string())
}

/// That the sender of a message that failed is nobody here.
pub(crate) fn sender_unknown(lang: Lang) -> String {
    plain(lang, "event-sender-unknown")
}
