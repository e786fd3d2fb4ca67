# pg_herd: the front door. `make help` lists what a developer can do here.
EXTENSION    = pg_herd
EXTVERSION   = 0.1.0
MODULE_big   = pg_herd
PG_CONFIG   ?= pg_config
CXXSTD       = -std=c++17
.DEFAULT_GOAL := all

# The developer's commands are the targets with a ## text in tools/*.mk. They do without PostgreSQL's
# build system, so that they work where it has yet to be installed; what they need built they ask of
# another make.
DEV_GOALS   := $(shell sed -n 's/^\([a-z][a-z-]*\):.*## .*/\1/p' tools/*.mk)
BUILD_GOALS  = $(filter-out $(DEV_GOALS),$(or $(MAKECMDGOALS),all))
ifeq ($(BUILD_GOALS),)
include $(sort $(wildcard tools/*.mk))
else ifneq ($(filter $(DEV_GOALS),$(MAKECMDGOALS)),)
$(error run make $(BUILD_GOALS) and make $(filter $(DEV_GOALS),$(MAKECMDGOALS)) one after the other)
else

SOURCES      = $(sort $(wildcard src/*.cpp src/*/*.cpp))
OBJS         = $(SOURCES:.cpp=.o)
SQL_PARTS    = $(sort $(wildcard control/[0-9]*.sql))
INSTALL_SQL  = control/$(EXTENSION)--$(EXTVERSION).sql
DATA         = $(INSTALL_SQL) $(wildcard control/upgrade/*.sql)
EXTRA_CLEAN  = $(INSTALL_SQL) build results $(OBJS:.o=.d)

override with_llvm := no
PGXS        := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error PostgreSQL's server headers are missing: run tools/install-deps)
endif
PG_SERVER_INCLUDE := $(shell $(PG_CONFIG) --includedir-server)
PG_LIBPQ_INCLUDE  := $(shell $(PG_CONFIG) --includedir)

WARNINGS     = -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast \
               -Wno-register -Wno-missing-field-initializers -Werror
HERD_CXXFLAGS = $(CXXSTD) $(WARNINGS) -fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP \
               -fno-strict-aliasing -fwrapv -g -O2 $(HERD_EXTRA_CXXFLAGS)
# PostgreSQL 15 leaves PGDLLEXPORT empty, which would hide _PG_init and every SQL function.
override CPPFLAGS := -D'PGDLLEXPORT=__attribute__((visibility("default")))' -Isrc \
               -isystem $(PG_LIBPQ_INCLUDE) -isystem $(PG_SERVER_INCLUDE) $(CPPFLAGS)
SHLIB_LINK   = -lpq -lstdc++ -Wl,--exclude-libs,ALL

# PGXS wants the control file beside the Makefile.
EXTENSION_FILES := $(shell ln -sf control/$(EXTENSION).control $(EXTENSION).control)

all:
include $(PGXS)
override CXXFLAGS := $(filter-out -W% ,$(CXXFLAGS)) -fPIC $(HERD_CXXFLAGS)

all: $(INSTALL_SQL)
$(INSTALL_SQL): $(SQL_PARTS) Makefile
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; \
	   cat $(SQL_PARTS); } > $@
$(OBJS): Makefile

# A copy that test servers load through extension_destdir, without touching the system's.
STAGE = $(CURDIR)/build/stage
.PHONY: stage
stage: all  ## build the extension and install it into build/stage
	@$(MAKE) --no-print-directory install DESTDIR=$(STAGE) >/dev/null

include test/boundary/build.mk
include test/deparse/build.mk
include test/full_disk/build.mk
include test/bench/build.mk
-include $(OBJS:.o=.d)
endif
