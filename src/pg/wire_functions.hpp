// The functions that turn values into bytes and back, found once per backend for built-in types, to
// which nothing can happen.
//
// PostgreSQL style: may raise PostgreSQL errors, owns nothing.
#pragma once

extern "C" {
#include "postgres.h"

#include "fmgr.h"
}

namespace herd::pg {

// Of the type's send function (binary) or output function. In the current memory context, or for
// good.
::FmgrInfo* output_function(Oid type, bool binary);

struct InputFunction {
    ::FmgrInfo* function;
    Oid io_param;
};

// Of the type's receive function (binary) or input function. In the current memory context, or for
// good.
InputFunction input_function(Oid type, bool binary);

}  // namespace herd::pg
