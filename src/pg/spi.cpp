#include "pg/spi.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

namespace herd::pg {

namespace {

// SPI's stack frame and, where the caller has none, a snapshot; abort cleans both by itself.
class SpiFrame {
public:
    SpiFrame() {
        call([&] {
            if (::SPI_connect() != SPI_OK_CONNECT) {
                elog(ERROR, "SPI_connect failed");
            }
            pushed_ = !::ActiveSnapshotSet();
            if (pushed_) {
                ::PushActiveSnapshot(::GetTransactionSnapshot());
            }
        });
    }
    void finish() {
        call([&] {
            if (pushed_) {
                ::PopActiveSnapshot();
            }
            ::SPI_finish();
        });
    }

private:
    bool pushed_ = false;
};

struct Arguments {
    explicit Arguments(const std::vector<Field>& fields)
        : types(fields.size(), TEXTOID), values(fields.size()), nulls(fields.size(), ' ') {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i]) {
                const std::string& text = *fields[i];
                values[i] = call([&] {
                    return PointerGetDatum(
                        ::cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
                });
            } else {
                nulls[i] = 'n';
            }
        }
    }
    std::vector<Oid> types;
    std::vector<Datum> values;
    std::string nulls;
};

Row read_row(::HeapTuple tuple, ::TupleDesc description) {
    Row row;
    row.reserve(static_cast<std::size_t>(description->natts));
    for (int i = 1; i <= description->natts; ++i) {
        const char* text = call([&] { return ::SPI_getvalue(tuple, description, i); });
        row.push_back(text == nullptr ? Field() : Field(text));
    }
    return row;
}

}  // namespace

Rows query(const std::string& sql, const std::vector<Field>& parameters) {
    SpiFrame frame;
    Arguments arguments(parameters);
    call([&] {
        int code = ::SPI_execute_with_args(sql.c_str(), static_cast<int>(parameters.size()),
                                           arguments.types.data(), arguments.values.data(),
                                           arguments.nulls.c_str(), false, 0);
        if (code < 0) {
            elog(ERROR, "SPI_execute failed: %s", ::SPI_result_code_string(code));
        }
    });
    Rows rows;
    if (::SPI_tuptable != nullptr) {
        rows.reserve(static_cast<std::size_t>(::SPI_processed));
        for (uint64 i = 0; i < ::SPI_processed; ++i) {
            rows.push_back(read_row(::SPI_tuptable->vals[i], ::SPI_tuptable->tupdesc));
        }
    }
    frame.finish();
    return rows;
}

Field query_value(const std::string& sql, const std::vector<Field>& parameters) {
    Rows rows = query(sql, parameters);
    if (rows.empty() || rows[0].empty()) {
        return {};
    }
    return rows[0][0];
}

std::string quote_literal(const std::string& text) {
    return call([&] { return static_cast<const char*>(::quote_literal_cstr(text.c_str())); });
}

std::string quote_identifier(const std::string& name) {
    return call([&] { return ::quote_identifier(name.c_str()); });
}

AsOwner::AsOwner() {
    ::GetUserIdAndSecContext(&user_, &security_context_);
    guc_level_ = ::NewGUCNestLevel();
    ::SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID,
                             security_context_ | SECURITY_LOCAL_USERID_CHANGE);
    // Not the user's: what he has put into his path must not run as the owner.
    call([] {
        ::set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    });
}

AsOwner::~AsOwner() {
    ::AtEOXact_GUC(true, guc_level_);
    ::SetUserIdAndSecContext(user_, security_context_);
}

}  // namespace herd::pg
