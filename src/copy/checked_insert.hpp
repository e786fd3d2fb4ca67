// CopyFrom() for rows that may not belong on this server: BEFORE triggers may give a row another
// key than the one that it was sent here by, and a client may have connected to a node by itself.
#pragma once

#include <cstdint>

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "commands/copy.h"
#include "utils/relcache.h"
}

namespace herd::copy {

// Stores the rows one by one and checks each as it is stored; returns how many were. Errors besides
// those of CopyFrom(): kKeyUpdate, at the row's line. PostgreSQL style.
std::uint64_t insert_checked(::CopyFromState state, const catalog::Catalog& herd);

}  // namespace herd::copy
