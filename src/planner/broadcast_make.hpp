// Making broadcasts of parts of a query level. PostgreSQL style.
#pragma once

#include "planner/broadcast.hpp"
#include "planner/estimate.hpp"

namespace herd::planner {

// By the setting herd.broadcast.
bool broadcasts_enabled();
// Whether a query's rows can be sent: nothing from around it, no locks, columns that fit in arrays.
bool can_broadcast(const Rewrite& rewrite, const ::Query* query);
// Whether they are few enough beside the bytes that are fetched otherwise.
bool is_small(const Rewrite& rewrite, const ::Query* query, double largest);
double bytes_of(const Estimate& estimate);
Estimate size_of(const Rewrite& rewrite, const ::Query* query);

// What cutting out would give, with the query as it is.
::Query* preview(const ::Query* query, ::Bitmapset* entries);
// Makes a broadcast of a whole query, which stands so many levels above its new place.
Broadcast& new_broadcast(Rewrite& rewrite, ::Query* query, int levels);
// Makes one of a level's FROM items and what their conditions, and reference tables that are joined
// elsewhere (of ReferenceValues*), leave of them. Its WITH query goes to `home`, which is the level
// itself or that many levels above.
void broadcast_part(QueryLevel& level, ::Bitmapset* entries, ::List* values, ::Query* home,
                    int levels_up);
// Makes one of everything in a level's FROM, with the conditions given.
const Broadcast& broadcast_rows_of_level(QueryLevel& level, const ::List* conditions);

}  // namespace herd::planner
