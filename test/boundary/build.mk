# The boundary tests' own extension: compiled as the herd is, staged beside it for test servers, never
# installed.
BOUNDARY_OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard test/boundary/*.cpp)))
BOUNDARY_LIB  = build/boundary/herd_boundary_test.so
EXTRA_CLEAN  += $(BOUNDARY_OBJS) $(BOUNDARY_OBJS:.o=.d)

$(BOUNDARY_OBJS): Makefile
$(BOUNDARY_LIB): $(BOUNDARY_OBJS) src/pg/guard.o
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -shared -o $@ $^

.PHONY: stage-boundary
stage-boundary: $(BOUNDARY_LIB)
	@install -D -t $(STAGE)$(pkglibdir) $(BOUNDARY_LIB)
	@install -D -m 644 -t $(STAGE)$(datadir)/extension \
	    $(addprefix test/boundary/herd_boundary_test,.control --1.0.sql)

-include $(BOUNDARY_OBJS:.o=.d)
