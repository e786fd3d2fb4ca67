// What a session may choose about its statements. Settings that turn off what makes statements
// fast, one by one, as enable_hashjoin does: no answer may depend on them; for comparing plans, for
// tests, and for getting around a bug. And how much of the herd a statement sees at one moment.
#pragma once

#include <cstdint>

namespace herd::pg {

void define_plan_settings();

// All of them, and herd.ownership_filter, as one number: plans of different numbers are different.
std::uint64_t plan_settings();

// A SELECT of one key goes whole to its node (herd.enable_route).
bool route_enabled();
// Nodes join their own rows (herd.enable_fragment_joins).
bool fragment_joins_enabled();
// Nodes aggregate their own rows (herd.enable_partial_aggregates).
bool partial_aggregates_enabled();
// Values travel in binary where they can (herd.enable_binary).
bool binary_enabled();
// The most rows of an INSERT that go to a node at once (herd.batch_rows).
int batch_rows();

// The most shapes whose plans a session keeps (herd.max_shapes); 0: none.
int max_shapes();

// A statement over several nodes sees all or nothing of each transaction over several nodes
// (herd.read_consistency = strict).
bool reads_are_strict();

}  // namespace herd::pg
