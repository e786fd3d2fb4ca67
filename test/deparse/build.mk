# An extension that shows what deparse() prints for a statement: for the tests of it, never installed.
DEPARSE_OBJS = test/deparse/functions.o
DEPARSE_LIB  = build/deparse/herd_deparse_test.so
DEPARSE_FROM = $(patsubst %,src/%.o,planner/assignments planner/deparse planner/evaluated_here planner/function_rules \
               planner/shippable pg/wire_types pg/ownership_filter pg/plan_settings pg/counters pg/shared_memory catalog/pushable pg/guard)
EXTRA_CLEAN += $(DEPARSE_OBJS) $(DEPARSE_OBJS:.o=.d)

$(DEPARSE_OBJS): Makefile
$(DEPARSE_LIB): $(DEPARSE_OBJS) $(DEPARSE_FROM)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -shared -o $@ $^

.PHONY: stage-deparse
stage-deparse: $(DEPARSE_LIB)
	@install -D -t $(STAGE)$(pkglibdir) $(DEPARSE_LIB)
	@install -D -m 644 -t $(STAGE)$(datadir)/extension \
	    $(addprefix test/deparse/herd_deparse_test,.control --1.0.sql)

-include $(DEPARSE_OBJS:.o=.d)
