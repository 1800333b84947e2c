//! The steps of a route in words.

use diagnosis::facts::RouteStep;

use crate::Lang;
use crate::words::say;

/// One step.
pub(crate) fn tell(step: &RouteStep, lang: Lang) -> String {
    match step {
        RouteStep::Configured { pattern, next_hop } => {
            let hop = ("hop", next_hop.into());
            match pattern {
                Some(pattern) => say(lang, "way-configured", &[("pattern", pattern.into()), hop]),
                None => say(lang, "way-default", &[hop]),
            }
        }
        RouteStep::As { user, helo, source } => {
            let parts = [
                ("way-as-user", user.clone()),
                ("way-as-helo", helo.clone()),
                (
                    "way-as-source",
                    (!source.is_empty()).then(|| source.join(", ")),
                ),
            ];
            let said = parts.iter().filter_map(|(key, value)| {
                Some(say(lang, key, &[("value", value.as_ref()?.into())]))
            });
            said.collect::<Vec<_>>().join("; ")
        }
        RouteStep::Literal { address } => say(lang, "way-literal", &[("address", address.into())]),
        RouteStep::Exchangers { domain, records } => {
            let records: Vec<String> = records
                .iter()
                .map(|(preference, name)| format!("{preference} {name}"))
                .collect();
            let records = records.join(", ");
            let args = [("domain", domain.into()), ("records", (&records).into())];
            say(lang, "way-exchangers", &args)
        }
        RouteStep::NullMx { domain, .. } => say(lang, "way-null-mx", &[("domain", domain.into())]),
        RouteStep::ImplicitExchanger { domain } => {
            say(lang, "way-implicit", &[("domain", domain.into())])
        }
        RouteStep::Ourselves {
            exchanger,
            preference,
            left,
        } => {
            let args = [
                ("exchanger", exchanger.into()),
                ("preference", u64::from(*preference).into()),
                ("left", (*left).into()),
            ];
            say(lang, "way-ourselves", &args)
        }
        RouteStep::Host(host) => {
            let addresses = host.addresses.join(", ");
            let args = [
                ("name", (&host.name).into()),
                ("addresses", (&addresses).into()),
            ];
            say(lang, "way-host", &args)
        }
        RouteStep::NoAddress { name } => say(lang, "way-no-address", &[("name", name.into())]),
        RouteStep::HostUnknown { name } => say(lang, "way-host-unknown", &[("name", name.into())]),
        RouteStep::HostUnanswered { name } => {
            say(lang, "way-host-unanswered", &[("name", name.into())])
        }
    }
}
