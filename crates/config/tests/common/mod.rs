//! A file read, and what a person sees of a bad one.
#![allow(dead_code, reason = "no test needs both")]

use config::Config;

pub(crate) fn good(text: &str) -> Config {
    match Config::parse(text) {
        Ok(parsed) => parsed.config,
        Err(errors) => panic!("{}", errors.render("test.toml", text, false)),
    }
}

pub(crate) fn said(text: &str) -> String {
    let errors = Config::parse(text).expect_err("the file is bad");
    errors.render("postrider.toml", text, false)
}
