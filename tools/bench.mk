# Measurements beside one plain PostgreSQL on the same machine.
.PHONY: bench bench-docs bench-scale bench-scale-docs bench-tpch

bench:  ## every workload on a herd and on plain PostgreSQL; WORKLOAD=pattern TIME=5 ROUNDS=3 CLIENTS=8,16 ROWS=1000000 FSYNC=on
	@$(staged) stage-bench
	@HERD_BENCH_WORKLOAD='$(WORKLOAD)' HERD_BENCH_SECONDS=$(TIME) HERD_BENCH_ROUNDS=$(ROUNDS) \
	    HERD_BENCH_CLIENTS=$(CLIENTS) HERD_BENCH_ROWS=$(ROWS) HERD_BENCH_FSYNC=$(FSYNC) \
	    PROVE_FLAGS=-v test/perl/run-tap test/bench/bench.pl; status=$$?; \
	    mkdir -p build/bench; cp build/tap/tmp_check/log/bench.[cs]* build/bench/; exit $$status

bench-docs:  ## the last figures of `make bench` into docs/performance.md, its plot and its CSV file
	@perl -Itest/perl test/bench/document.pl build/bench/bench.csv

bench-scale:  ## what many shards, tables and nodes cost a session; VARY=shards|tables|nodes REPEAT=5000
	@$(staged)
	@HERD_SCALE_VARY='$(VARY)' HERD_SCALE_REPEAT=$(REPEAT) PROVE_FLAGS=-v test/perl/run-tap test/bench/scale.pl; \
	    status=$$?; mkdir -p build/bench; cp build/tap/tmp_check/log/scale.csv build/bench/; exit $$status

bench-scale-docs:  ## the last figures of `make bench-scale` into docs/performance.md, and their plot
	@perl -Itest/perl test/bench/document_scale.pl build/bench/scale.csv

bench-tpch:  ## TPC-H on a herd and on plain PostgreSQL, with times and memory; SCALE=0.5 RUNS=3
	@$(staged)
	@HERD_TPCH_SCALE=$(or $(SCALE),0.5) HERD_TPCH_RUNS=$(or $(RUNS),3) PROVE_FLAGS=-v \
	    test/perl/run-tap test/bench/tpch.pl
