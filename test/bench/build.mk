# The emulation that `make bench` compares with: a program of its own, staged for the test servers'
# user, never installed.
BENCH_OBJS    = $(patsubst %.cpp,%.o,$(sort $(wildcard test/bench/*.cpp)))
BENCH_EMULATE = build/bench/emulate
EXTRA_CLEAN  += $(BENCH_OBJS) $(BENCH_OBJS:.o=.d)

$(BENCH_OBJS): Makefile
$(BENCH_EMULATE): $(BENCH_OBJS)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -pthread -o $@ $^ -lpq

.PHONY: stage-bench
stage-bench: $(BENCH_EMULATE)
	@install -D -t $(STAGE)/bench $(BENCH_EMULATE)

-include $(BENCH_OBJS:.o=.d)
