//! Resolving the next hop: the resolver trait, the real resolver, and the order of mail exchangers.
