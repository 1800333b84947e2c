//! From the configuration to what single destinations and providers are allowed.

use std::collections::BTreeMap;

use config::PaceLimit;

pub(crate) fn limits(of: &config::Pacing) -> delivery::Limits {
    let all = |limits: &BTreeMap<String, PaceLimit>| {
        let of = |(name, limit): (&String, &PaceLimit)| (name.clone(), one(limit));
        limits.iter().map(of).collect()
    };
    delivery::Limits {
        destinations: all(&of.destinations),
        providers: all(&of.providers),
    }
}

fn one(limit: &PaceLimit) -> delivery::Limit {
    let rate = limit.rate.filter(|rate| !rate.per.is_zero());
    delivery::Limit {
        sessions: limit.sessions,
        rate: rate.map(|rate| rate.count as f64 / rate.per.as_secs_f64()),
    }
}
