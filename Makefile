# The one entry to everything; the work is done by cargo and by the scripts in hack/.
# `make` alone lists the targets.

RUNTIME ?= bin/hull
PREFIX ?= /usr/local
SUITE ?= trixie

.DEFAULT_GOAL := help
.PHONY: help build fmt lint tidy unit test demo conformance conformance-peer runtime-tools \
	break bench vm test-vm compatibility deny doc man fuzz clean ci install

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 18

build: ## bin/hull: one static file
	@hack/build hull

demo: ## build hull, make a small bundle, run it, show what isolates it (root)
	@hack/demo

test: ## all tests: unit, and the conformance suite as root; installs what they need
	@hack/test $(ARGS)

fmt: ## format the sources
	cargo fmt --all

lint: ## format check, clippy, aarch64, shellcheck
	hack/lint

tidy: ## the rules that no compiler checks: layers, sizes, names, documents
	cargo run --quiet --locked --package tidy

unit: ## unit tests only; needs no privilege
	cargo test --quiet --workspace --locked

conformance: ## judge RUNTIME (default bin/hull) by the suite (root); options in ARGS
	hack/conformance $(RUNTIME) $(ARGS)

conformance-peer: ## judge runc and crun, which validates the suite itself (root)
	hack/need runc crun iproute2=ip
	hack/conformance runc $(ARGS)
	hack/conformance crun --unified-view $(ARGS)

runtime-tools: ## judge RUNTIME by a built checkout RUNTIME_TOOLS of runtime-tools (root); options in ARGS
	@hack/runtime-tools "$(RUNTIME_TOOLS)" $(RUNTIME) $(ARGS)

break: ## break hull on purpose, in ten ways: the suite must turn red each time (root)
	hack/break $(BREAKAGES)

bench: ## hull, crun and runc against the least the kernel needs (root); options in ARGS
	hack/bench/run $(ARGS)

vm: ## make the virtual machine of SUITE (trixie, forky) once (root)
	SUITE=$(SUITE) hack/vm/make

test-vm: ## Podman, containerd and the suite in the virtual machine: cgroup v2, systemd, AppArmor (root); options in ARGS
	SUITE=$(SUITE) hack/vm/test $(if $(ARGS),-- $(ARGS))

compatibility: ## docs/compatibility.md and docs/spec-conformance.md from gaps.toml, the cases and the results in out/
	hack/compatibility $(RESULTS)

deny: ## licences, forbidden crates, sources, known vulnerabilities
	hack/deny

doc: ## documentation of the crates, warnings as errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

fuzz: ## fuzz the pure edges (all, or EDGES), each for FUZZ_SECONDS (default 600)
	hack/fuzz/run $(EDGES)

ci: ## what the gate runs
	.ci/run

man: ## docs/man anew, from the table of commands
	HULL_WRITE_MAN=1 cargo test --quiet --locked --package hull man::

install: ## bin/hull and its man pages, below $(DESTDIR)$(PREFIX)
	install -D -m 755 bin/hull $(DESTDIR)$(PREFIX)/bin/hull
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/man/*.8

clean: ## forget all that was built
	cargo clean
	rm -rf bin out
