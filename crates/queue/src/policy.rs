//! All failure policy: from a diagnosis and a history to a decision.
