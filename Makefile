# Makefile — the two commands that a stranger needs (`make chat`, `make test`) and the ones that follow from them.

PREFIX ?= /usr/local
DESTDIR ?=
# A picture of one's own: make chat IMAGE=photo.jpg
IMAGE ?= Assets/pictures/demo.png
# Debian's own Python: one found earlier in PATH would not see Debian's pexpect and pyte.
PYTHON ?= /usr/bin/python3
# Where make bench-peers keeps models, llama.cpp and its figures.
PEERS ?= $(HOME)/specchat-peers
# More flags for every swift command, such as SWIFTFLAGS='--jobs 2'.
SWIFTFLAGS ?=

PROGRAM := .build/release/specchat
SWIFT_SOURCES := Package.swift Sources Tests

.PHONY: help setup build chat test test-storms test-training lint format bench bench-check bench-peers install uninstall clean

help:
	@echo 'make chat [IMAGE=photo.jpg]     set everything up, build, chat about a picture'
	@echo 'make test                       set everything up, run every test'
	@echo 'make test-storms                the terminal tests'"'"' storms in full: some minutes, another seed each time'
	@echo 'make build                      build the release program (.build/release/specchat)'
	@echo 'make setup                      install the Debian packages that are missing'
	@echo 'make install [PREFIX=$(PREFIX)] [DESTDIR=]   put the program and its models in place'
	@echo 'make uninstall [PREFIX=$(PREFIX)] [DESTDIR=]'
	@echo 'make bench                      measure speculation against plain decoding'
	@echo 'make bench-check                compare ratios of speed with those kept in the repository'
	@echo 'make bench-peers [PEERS=folder] race against llama.cpp on models of true size: hours, 40 GB'
	@echo 'make test-training              test the training package in an environment of its own'
	@echo 'make lint, make format          check or apply the format of the sources'
	@echo 'make clean                      remove what was built'

setup:
	@Scripts/setup build tests

build:
	@Scripts/setup --check build
	swift build $(SWIFTFLAGS) --configuration release --product specchat

chat:
	@Scripts/setup build
	swift build $(SWIFTFLAGS) --configuration release --product specchat
	$(PROGRAM) chat --image '$(IMAGE)'

test:
	@Scripts/setup build tests
	swift build $(SWIFTFLAGS) --build-tests
	swift test $(SWIFTFLAGS) --skip-build --disable-xctest
	$(PYTHON) -B -m unittest discover --start-directory Tests/TerminalTests --pattern '*_tests.py'
	$(PYTHON) -B -m unittest discover --start-directory Tests/BenchmarkTests --pattern '*_tests.py'

test-storms:
	@Scripts/setup build tests
	swift build $(SWIFTFLAGS) --product specchat
	SPECCHAT_STORMS=full $(PYTHON) -B -m unittest discover --start-directory Tests/TerminalTests --pattern 'storm_tests.py'

test-training:
	@Scripts/setup training
	Scripts/test-training

lint:
	swift format lint --recursive --strict $(SWIFT_SOURCES)

format:
	swift format --in-place --recursive $(SWIFT_SOURCES)

bench: build
	$(PROGRAM) bench

bench-check: build
	$(PYTHON) -B Benchmarks/check.py --specchat $(PROGRAM)

bench-peers: build
	@Scripts/setup build tests training
	$(PYTHON) -B Benchmarks/run --specchat $(PROGRAM) --folder '$(PEERS)'

install:
	@test -x $(PROGRAM) || { echo 'make install: run "make build" first, as the user who has Swift.' >&2; exit 1; }
	Scripts/install-files '$(DESTDIR)$(PREFIX)'

uninstall:
	Scripts/install-files --remove '$(DESTDIR)$(PREFIX)'

clean:
	rm -rf .build Training/.venv
