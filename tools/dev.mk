# The developer's commands; `make help` prints the text after ## of each. The Makefile includes this
# file when it is asked for nothing else.
.PHONY: $(DEV_GOALS)
SHELL = /bin/bash
.SHELLFLAGS = -o pipefail -c

HERD_FORMATTED = $(wildcard src/*.[ch]pp src/*/*.[ch]pp test/unit/*/*.[ch]pp test/*/*.[ch]pp)
JOBS ?= $(shell nproc)

# The suites of `make check` that have tests.
SUITES = unit lint-layers $(if $(wildcard sql/*.sql),regress) \
         $(if $(wildcard test/specs/*.spec),isolation) $(if $(wildcard test/pgtap/*.sql),pgtap) boundary deparse tap

help:  ## list these commands
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | sort -u | \
	    while IFS='	' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

deps:  ## install what building and testing need (Debian packages)
	@tools/install-deps

check: deps  ## run all tests; the last line is "N passed, N failed"
	@MAKE='$(MAKE)' tools/check $(SUITES)

check-all: deps  ## check, and the suites that take longer (fault, crash-matrix, consistency, transfer, sqlsmith, memcheck)
	@MAKE='$(MAKE)' tools/check $(SUITES) lint-docs fault crash-matrix consistency transfer sqlsmith memcheck

unit:  ## unit tests of the core, with address and undefined-behaviour sanitizers
	@cmake -S . -B build/unit -DCMAKE_BUILD_TYPE=Debug -DHERD_SANITIZE=address,undefined >/dev/null
	@cmake --build build/unit -j $(JOBS) --target herd_unit_test -- --no-print-directory -s >/dev/null
	@ctest --test-dir build/unit --output-on-failure | { grep -Ev '^ +Start | Passed ' || true; }

coverage:  ## lines of the core that the unit tests run; fails below 100 %
	@cmake -S . -B build/coverage -DCMAKE_BUILD_TYPE=Debug -DHERD_COVERAGE=ON >/dev/null
	@find build/coverage -name '*.gcda' -delete
	@cmake --build build/coverage -j $(JOBS) --target herd_unit_test -- --no-print-directory -s
	@build/coverage/herd_unit_test --gtest_brief=1
	@tools/coverage build/coverage

# Each of these needs the staged extension. TESTS="name ..." picks some of them.
staged = $(MAKE) --no-print-directory -s -j $(JOBS) stage

regress:  ## regression tests in sql/ (pg_regress); TESTS="name ..." picks some
	@$(staged)
	@tools/run-regress $(TESTS)

isolation:  ## isolation tests in test/specs/; TESTS="name ..." picks some
	@$(staged)
	@tools/run-regress --isolation $(TESTS)

pgtap:  ## contract tests in test/pgtap/ (pgTAP)
	@$(staged)
	@tools/with-server sh -c 'createdb contract && \
	    psql -qd contract -c "CREATE EXTENSION pgtap" -c "CREATE EXTENSION pg_herd" && \
	    pg_prove -d contract $(or $(TESTS),test/pgtap/*.sql)'

tap:  ## multi-node tests in test/t/ (prove); TESTS="test/t/NNN_topic.pl ..." picks some
	@$(staged) stage-full-disk stage-bench
	@test/perl/run-tap $(TESTS)

# HERD_SEED and HERD_STATEMENTS in test/t/015_fuzz.pl; a seed makes the same statements every time.
fuzz:  ## random statements on a herd and on a plain server: make fuzz SEED=1 COUNT=20000
	@$(staged)
	@HERD_SEED=$(or $(SEED),1) HERD_STATEMENTS=$(or $(COUNT),20000) PROVE_FLAGS=--verbose \
	    test/perl/run-tap test/t/015_fuzz.pl

sqlsmith:  ## Debian's random queries against a herd, for crashes: make sqlsmith SEED=1 COUNT=2000
	@tools/install-deps sqlsmith
	@$(staged)
	@HERD_SEED=$(or $(SEED),1) HERD_STATEMENTS=$(or $(COUNT),2000) \
	    test/perl/run-tap test/fuzz/sqlsmith.pl

fault:  ## servers killed at every step of a commit (two minutes); TESTS="test/fault/X.pl ..." picks some
	@$(staged)
	@test/perl/run-tap $(or $(TESTS),test/fault/*.pl)

crash-matrix:  ## every step of a commit struck in every way at every server (ten minutes); CELLS="regex" STALL=10 PARTS=4
	@$(staged)
	@HERD_CELLS='$(CELLS)' HERD_STALL=$(or $(STALL),10) PARTS=$(or $(PARTS),4) tools/crash-matrix

consistency:  ## what concurrent transactions see while nodes are killed; MINUTES=10 SEED=7
	@$(staged)
	@HERD_MINUTES=$(or $(MINUTES),10) HERD_SEED=$(SEED) PROVE_FLAGS=-v \
	    test/perl/run-tap test/consistency/consistency.pl

transfer:  ## sixteen clients move money while nodes are killed; MINUTES=5 SEED=7
	@$(staged)
	@HERD_MINUTES=$(or $(MINUTES),5) HERD_SEED=$(SEED) PROVE_FLAGS=-v \
	    test/perl/run-tap test/consistency/transfer.pl

memcheck: export HERD_DIFFERENTIAL ?= route,joins,insert,copy
memcheck:  ## servers under valgrind, in sql/ and a part of test/differential/ (ten minutes); TESTS="..." picks some
	@$(staged) stage-full-disk
	@tools/memcheck $(or $(TESTS),regress test/t/010_differential.pl)

boundary:  ## errors, cancel and terminate at the C++/PostgreSQL boundary
	@$(staged) stage-boundary
	@test/perl/run-tap test/boundary/boundary.pl

deparse:  ## statements as nodes get them: the text does the same as the original
	@$(staged) stage-deparse
	@test/perl/run-tap test/deparse/deparse.pl

lint: lint-layers lint-docs lint-sizes format-check cppcheck tidy  ## every static check

lint-layers:  ## includes go down the layers only; no blocking libpq
	@tools/lint-layers

lint-docs:  ## links lead somewhere; every function, view, setting and error is described
	@tools/lint-docs

lint-sizes:  ## lines of 100 columns and files of 400 lines at most
	@tools/lint-layers --sizes

format:  ## format all C++ files in place
	@clang-format-14 -i $(HERD_FORMATTED)

format-check:  ## fail when `make format` would change a file
	@clang-format-14 --dry-run -Werror $(HERD_FORMATTED)

build/cmake/compile_commands.json: CMakeLists.txt $(wildcard src/*.cpp src/*/*.cpp)
	@cmake -S . -B build/cmake >/dev/null
	@touch $@

tidy: build/cmake/compile_commands.json  ## clang-tidy over src/
	@run-clang-tidy-14 -quiet -p build/cmake -j $(JOBS) '$(CURDIR)/src/.*' 2>/dev/null | \
	    { grep -v '^clang-tidy-14 ' || true; }

cppcheck:  ## cppcheck over src/
	@cppcheck --quiet --std=c++17 --language=c++ --error-exitcode=1 --inline-suppr \
	    --enable=warning,performance,portability --suppressions-list=tools/cppcheck.suppressions \
	    -Isrc src
