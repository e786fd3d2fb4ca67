// Entry points of the kind "background worker".
#pragma once

extern "C" {
#include "postgres.h"

// The worker's main function, found by its name.
PGDLLEXPORT void boundary_worker_main(Datum unused);
}
