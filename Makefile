# The short commands; cmake presets and ctest do the work. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deps build run test check acceptance faults format format-check tidy bench asan tsan coverage clean

# gcc 12's thread sanitizer cannot start where the kernel spreads addresses over more than 28 bits; where setarch may, it
# turns that off for the tests.
FIXED_ADDRESSES = $(shell setarch --addr-no-randomize true 2>/dev/null && echo setarch --addr-no-randomize)

JOBS ?= $(shell nproc)
TESTS ?= # further arguments of ctest, such as TESTS='-L unit'
SOURCES = $(shell find base partition limiter proxy auth conf gateway tests bench cmake -name '*.hpp' -o -name '*.cpp')

help: ## this list
	@sed -nE 's/^([a-z-]+):.* ## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

deps: ## install what is missing to build, test and check (Debian 12)
	@tools/install_packages.sh build test check

build: ## build what is shipped: build/release/gateway/penstock
	@tools/install_packages.sh build
	@cmake --preset release -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=OFF
	@cmake --build --preset release --parallel $(JOBS) --target penstock

run: build ## build and start the demo on :8080
	build/release/gateway/penstock demo

test: ## build and run every test; they start their own servers
	@tools/install_packages.sh build test
	@cmake --preset dev
	@cmake --build --preset dev --parallel $(JOBS)
	@ctest --preset dev --parallel $(JOBS) $(TESTS)

acceptance: build ## the long runs on the release build: fleets at overload, crashes, 1 M callers, bodies of 5 GiB, failovers, resharding, restarts, an outage, every fault of Redis (an hour)
	@tools/install_packages.sh test
	@for long in fleet bodies crash soak sentinel cluster restarts outage faults; do \
	    PENSTOCK_BINARY=$(CURDIR)/build/release/gateway/penstock PYTHONPATH=tests python3 -B tests/integration/acceptance_$$long.py || exit 1; \
	done

faults: build ## the fault matrix of docs/faults.md on the release build (five minutes)
	@tools/install_packages.sh test
	@PENSTOCK_BINARY=$(CURDIR)/build/release/gateway/penstock PYTHONPATH=tests python3 -B tests/integration/acceptance_faults.py

check: ## before a commit: format, lint of what changed, source rules, unit and contract tests
	@tools/install_packages.sh build test check
	@$(MAKE) --no-print-directory format-check
	@cmake --preset dev
	@cmake --build --preset dev --parallel $(JOBS)
	@tools/tidy.sh --changed
	@ctest --preset dev --parallel $(JOBS) --label-regex '^(tools|unit|contract)$$'

format: ## lay out the sources as .clang-format says
	@tools/install_packages.sh check
	@clang-format -i $(SOURCES)

format-check: ## refuse sources that are laid out otherwise
	@clang-format --dry-run --Werror $(SOURCES)

tidy: ## clang-tidy over the rooms
	@tools/install_packages.sh build test check
	@tools/tidy.sh

bench: ## build and run the benchmarks (bench/README.md)
	@tools/install_packages.sh build bench
	@cmake --preset release -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=ON
	@cmake --build --preset release --parallel $(JOBS)
	@bench/run

asan: ## build with address and undefined-behaviour sanitizers and run every test
	@tools/install_packages.sh build test
	@cmake --preset asan
	@cmake --build --preset asan --parallel $(JOBS)
	@ctest --preset asan --parallel $(JOBS) $(TESTS)

tsan: ## build with thread sanitizer and run every test
	@tools/install_packages.sh build test
	@cmake --preset tsan
	@cmake --build --preset tsan --parallel $(JOBS)
	@$(FIXED_ADDRESSES) ctest --preset tsan --parallel $(JOBS) $(TESTS)

coverage: ## run every test with gcov counters; the report is build/coverage/report/index.html
	@tools/install_packages.sh build test coverage
	@cmake --preset coverage
	@cmake --build --preset coverage --parallel $(JOBS)
	@ctest --preset coverage --parallel $(JOBS) $(TESTS)
	@mkdir -p build/coverage/report
	@gcovr --root . --exclude tests/ --html-details build/coverage/report/index.html --print-summary build/coverage

clean: ## remove everything that was built
	@rm -rf build
