// Functions that an administrator has marked as the same on every node (herd.set_pushable).
//
// PostgreSQL style: called from tree walkers, raises PostgreSQL errors.
#pragma once

extern "C" {
#include "postgres.h"
}

namespace herd::catalog {

bool is_pushable(Oid function);

}  // namespace herd::catalog
