//! Clock, randomness, network and disk: real, or simulated from a seed.
