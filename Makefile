# Postrider. `make run` tries it out; `make test` checks everything.

CARGO ?= cargo
SHELL := /bin/bash

.PHONY: help run build test check peers bench bench-relay bench-crowd bench-explain fuzz clean-demo

help:
	@echo 'make run    build, start the relay, send two messages, show their stories; Ctrl-C ends it'
	@echo 'make test   install the test peers, then: format, lints, licences, all tests'
	@echo 'make check  format, lints and licences alone'
	@echo 'make bench  the relay beside Postfix, and explain beside Sisimai, on this machine'
	@echo 'make fuzz   each fuzz target for a minute (needs nightly and cargo-fuzz)'

.PHONY: rust
rust:
	@tools/need-rust

run: rust
	$(CARGO) build --release --locked -p postrider
	tools/demo

build: rust
	$(CARGO) build --release --locked

peers:
	tools/install-peers

check: rust
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	tools/deny

test: rust peers check
	$(CARGO) test --workspace --locked --no-fail-fast

bench: bench-relay bench-crowd bench-explain

bench-relay: rust peers
	$(CARGO) build --release --locked -p postrider
	bench/relay

.PHONY: bench-queue
bench-queue: rust peers
	$(CARGO) build --release --locked -p postrider -p store-sqlite --bin postrider --example fill
	bench/queue-million
	bench/dead-destination

bench-crowd: rust
	$(CARGO) build --release --locked -p postrider
	bench/connections
	bench/overload

bench-explain: rust peers
	$(CARGO) build --release --locked -p judge
	bench/explain

FUZZ_TARGETS := command address parameters reply extensions server client stuffing explain
FUZZ_SECONDS ?= 60

fuzz:
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/corpus/$$target; \
	  $(CARGO) +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -dict=fuzz/smtp.dict || exit 1; \
	done
