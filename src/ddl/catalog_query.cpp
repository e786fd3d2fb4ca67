#include "ddl/catalog_query.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

pg::Rows catalog_query(const std::string& sql, const std::vector<pg::Field>& parameters) {
    // Its destructor puts back every setting changed under it.
    pg::AsOwner owner;
    pg::call([] {
        ::set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    });
    return pg::query(sql, parameters);
}

pg::Rows query_unfiltered(const std::string& sql) {
    int level = ::NewGUCNestLevel();
    pg::call([] {
        ::set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                            true, 0, false);
    });
    pg::Rows rows = pg::query(sql);
    pg::call([&] { ::AtEOXact_GUC(true, level); });
    return rows;
}

std::string qualified_name(unsigned int relid) {
    return pg::call([&]() -> const char* {
        char* name = ::get_rel_name(relid);
        if (name == nullptr) {
            return "";
        }
        return ::quote_qualified_identifier(::get_namespace_name(::get_rel_namespace(relid)), name);
    });
}

std::string schema_name(unsigned int relid) {
    return pg::call([&]() -> const char* {
        char* name = ::get_namespace_name(::get_rel_namespace(relid));
        return name == nullptr ? "" : name;
    });
}

std::string relation_name(unsigned int relid) {
    return pg::call([&]() -> const char* {
        char* name = ::get_rel_name(relid);
        return name == nullptr ? "" : name;
    });
}

}  // namespace herd::ddl
