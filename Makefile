# Parley: make help lists the targets.
#
# Sources are found by wildcard: all of src/ goes into one library, every
# cgi-bin/*.c is a program beside its source, all of cli/ is the program
# bin/parley, every tests/unit/*/test_*.c a test program. Each combination of
# compiler and knobs builds in a folder of its own under build/, so they never
# disturb each other.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 20

# Knobs: DEV=1 (no optimisation), SAN=address,undefined or SAN=thread, CC=
ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
DEV ?=
SAN ?=
comma := ,
VARIANT := $(or $(subst $(comma),+,$(SAN)),release)$(if $(DEV),-dev)
VARIANT := $(patsubst release-dev,dev,$(VARIANT))
B := build/$(notdir $(CC))-$(VARIANT)
IS_DEFAULT := $(filter build/gcc-release,$(B))

# ---- flags -----------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Werror
PKGS := fcgi libcurl lmdb sqlite3 libcjson libcrypto libseccomp libxml-2.0 \
	libzip libexif libmagic
LIBS_PLAIN := -lfcgi -lcurl -llmdb -lsqlite3 -lcjson -lcrypto -lseccomp \
	-lxml2 -lzip -lexif -lmagic
# These have no .pc file, or one that asks for more than is needed (cjose).
LIBS_MORE := -lcjose -lstemmer -lwslay -lcrypt -lm -lpthread
# A package whose .pc file is missing still links under its usual name.
LIBS = $(or $(shell pkg-config --libs $(PKGS) 2>/dev/null),$(LIBS_PLAIN)) \
	$(LIBS_MORE)
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

OPT := -O2
HARDEN := -fstack-protector-strong
ifeq ($(SAN)$(DEV),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
DEBUG := -g
ifneq ($(SAN),)
OPT := -O1
DEBUG := -g1 # lines, which is what a report names
HARDEN += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifneq ($(DEV),)
OPT := -O0
DEBUG := -g3
endif

override CPPFLAGS += -D_GNU_SOURCE -DPARLEY_VERSION='"$(VERSION)"' -Isrc \
	$(PKG_CFLAGS)
override CFLAGS += -std=c11 $(OPT) $(DEBUG) $(WARN) $(HARDEN)
override LDFLAGS += $(if $(SAN),-fsanitize=$(SAN)) -Wl,--as-needed

# ---- what there is ---------------------------------------------------------

SRC := $(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c))
PROGRAM_SRC := $(sort $(wildcard cgi-bin/*.c))
CLI_SRC := $(sort $(wildcard cli/*.c))
TEST_SRC := $(sort $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard bench/*.c))
ALL_C := $(SRC) $(PROGRAM_SRC) $(CLI_SRC) $(TEST_SRC) $(FUZZ_SRC) $(BENCH_SRC)

LIB := $(B)/libparley.a
OBJ := $(SRC:%.c=$(B)/obj/%.o)
PROGRAMS := $(PROGRAM_SRC:cgi-bin/%.c=$(B)/bin/%)
# Apart from the programs that a web server may start.
CLI := $(B)/cli/parley
BESIDE := $(if $(IS_DEFAULT),$(patsubst $(B)/bin/%,cgi-bin/%,$(PROGRAMS)))
CLI_BESIDE := $(if $(IS_DEFAULT),bin/parley)
# The client for other programs: src/client and what it needs of the rest.
CLIENT_LIB := $(B)/libparley-client.a
TESTS := $(TEST_SRC:%.c=$(B)/%)
FUZZERS := $(FUZZ_SRC:%.c=$(B)/%)
BENCHES := $(BENCH_SRC:%.c=$(B)/%)
VENDOR := static/vendor/highlight.js static/vendor/openapi.json \
	etc/lexicon/afinn.tsv etc/lexicon/passwords.txt

# ---- building --------------------------------------------------------------

.PHONY: all programs vendor
all: programs vendor ## Build the programs and the page's libraries
programs: $(PROGRAMS) $(CLI) $(BESIDE) $(CLI_BESIDE)
vendor: $(VENDOR) ## The page's libraries and the lists of words, from npm

# The flags are a file, so that other flags mean other objects.
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
ifneq ($(file <$(B)/flags),$(FLAGS_NOW))
.PHONY: $(B)/flags
endif
$(B)/flags: | $(B)
	$(file >$@,$(FLAGS_NOW))
	@:

$(B):
	@mkdir -p $@

# Tests are compiled more often than they are run.
ifneq ($(SAN),thread)
$(B)/obj/tests/unit/%.o: OPT := -O0
$(B)/obj/tests/unit/%.o: HARDEN += -U_FORTIFY_SOURCE
endif

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Made anew each time: an object whose source is gone must not stay in it.
$(LIB): $(OBJ) $(B)/sources
	@echo "  AR   $@"
	@rm -f $@
	@$(AR) rcs $@ $(OBJ)

ifneq ($(file <$(B)/sources),$(SRC))
.PHONY: $(B)/sources
endif
$(B)/sources: | $(B)
	$(file >$@,$(SRC))
	@:

LINK = @mkdir -p $(@D); echo "  LD   $@"; $(CC) $(CFLAGS) $(LDFLAGS) -o $@
# Tests are many and each is linked with all of it: these take half the time.
FAST := $(if $(filter clang%,$(notdir $(CC))),lld,gold)
FAST_LD := $(if $(shell command -v ld.$(FAST)),-fuse-ld=$(FAST))

$(PROGRAMS): $(B)/bin/%: $(B)/obj/cgi-bin/%.o $(LIB)
	$(LINK) $^ $(LIBS)

$(CLI): $(CLI_SRC:%.c=$(B)/obj/%.o) $(LIB)
	$(LINK) $^ $(LIBS) -ledit

# One object with all in it, of which only parley.h's functions are seen.
$(CLIENT_LIB): $(B)/obj/src/client/parley.o $(LIB)
	@echo "  LD   $@"
	@$(CC) -r -nostdlib -o $(B)/parley-client.o $^
	@objcopy --wildcard --keep-global-symbol='parley_*' $(B)/parley-client.o
	@rm -f $@
	@$(AR) rcs $@ $(B)/parley-client.o

# Beside their sources for a web server to start; replaced in one step, as
# the old one may be running.
$(BESIDE): cgi-bin/%: $(B)/bin/%
	@cp -f $< $@.new && mv -f $@.new $@

bin/parley: $(B)/cli/parley
	@mkdir -p $(@D)
	@cp -f $< $@.new && mv -f $@.new $@

static/vendor/highlight.js: package-lock.json scripts/vendor.mjs
	@scripts/deps page
	@echo "  NPM  static/vendor"
	@node scripts/vendor.mjs

# One after the other, as only one npm may be at work in a folder.
static/vendor/openapi.json: docs/openapi.yaml package-lock.json \
		scripts/openapi.mjs | static/vendor/highlight.js
	@scripts/deps page
	@echo "  DOC  $@"
	@node scripts/openapi.mjs

etc/lexicon/afinn.tsv: package-lock.json scripts/lexicon.mjs | \
		static/vendor/openapi.json
	@scripts/deps page
	@echo "  NPM  etc/lexicon"
	@node scripts/lexicon.mjs

etc/lexicon/passwords.txt: package-lock.json scripts/passwords.mjs | \
		etc/lexicon/afinn.tsv
	@scripts/deps page
	@echo "  NPM  $@"
	@node scripts/passwords.mjs

.env.example: $(B)/bin/chat ## Print the settings table into .env.example
	@$(B)/bin/chat --print-env >$@.new && mv -f $@.new $@

etc/models.json: $(B)/bin/chat ## Print the table of models into etc/
	@mkdir -p $(@D)
	@$(B)/bin/chat --print-models >$@.new && mv -f $@.new $@

# ---- running ---------------------------------------------------------------

.PHONY: run
run: ## Serve on http://127.0.0.1:8080/ (PORT=, HOST=, DATA_DIR=, any setting)
	@scripts/deps run
	@$(MAKE) all
	@exec scripts/run --under-make $(B)/bin

# ---- checking --------------------------------------------------------------

.PHONY: check test lint format bench fuzz fuzzers torture unit-programs
unit-programs: $(TESTS)
$(TESTS): $(B)/%: $(B)/obj/%.o $(LIB)
	$(LINK) $(FAST_LD) $^ -lcmocka $(LIBS)
$(BENCHES): $(B)/%: $(B)/obj/%.o $(LIB)
	$(LINK) $^ -lcmocka $(LIBS)

check: $(TESTS) ## Run the unit tests
	@scripts/unit $(TESTS)

test: ## Run the unit tests, then the end-to-end tests
	@scripts/deps test
	@$(MAKE) all check
	@scripts/e2e tests/unit/static
	@PARLEY_TEST_BIN=$(CURDIR)/$(B)/bin exec scripts/e2e tests/e2e

lint: ## Formatting, layers, lengths, clang-tidy, cppcheck, words
	@scripts/lint

format: ## Let clang-format write all C
	@find src cgi-bin cli bench tests -name node_modules -prune -o \
	    -name '*.[ch]' -print 2>/dev/null | xargs -r clang-format -i

bench: ## Measure (see docs/BENCH.md)
	@scripts/deps test
	@$(MAKE) all bench-programs
	@BENCH_BIN=$(B)/bench exec bench/run
.PHONY: bench-programs
bench-programs: $(BENCHES)

FUZZ_SAN := fuzzer-no-link,address,undefined
fuzz: ## Run every fuzz driver for FUZZ_SECONDS (20)
	@$(MAKE) CC=clang SAN=$(FUZZ_SAN) DEV= fuzzers
	@scripts/fuzz $(FUZZ_SECONDS) $(FUZZ_SRC:%.c=build/clang-$(subst \
	    $(comma),+,$(FUZZ_SAN))/%)
fuzzers: $(FUZZERS)
$(FUZZERS): $(B)/%: $(B)/obj/%.o $(LIB)
	$(LINK) -fsanitize=fuzzer $(FAST_LD) $^ $(LIBS)

torture: ## Crashes, full disks, slow readers, cut connections (minutes)
	@scripts/deps test
	@$(MAKE) all
	@PARLEY_TEST_BIN=$(CURDIR)/$(B)/bin exec scripts/e2e tests/torture

# ---- the rest --------------------------------------------------------------

.PHONY: install clean help print-flags
ROOT = $(PREFIX)/lib/parley
install: all $(CLIENT_LIB) ## Install below PREFIX (/usr/local), DESTDIR too
	@scripts/install $(B) "$(DESTDIR)" "$(ROOT)" "$(PREFIX)" "$(VERSION)"

clean: ## Remove all that was built (not the data, not node_modules)
	rm -rf build bin static/vendor etc/lexicon
	rm -f $(PROGRAM_SRC:%.c=%)

# What the checkers compile with.
print-flags:
	@echo $(CPPFLAGS) -std=c11

help: ## This list
	@sed -n 's/^\([.a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | \
	    expand -t 22
	@echo
	@echo "Knobs: DEV=1, SAN=address,undefined, SAN=thread, CC=clang"

-include $(patsubst %.c,$(B)/obj/%.d,$(ALL_C))
