#include "planner/estimate.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "access/table.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

::get_relation_info_hook_type previous_hook = nullptr;

// The herd whose rows are being estimated; nullptr when plans are made to be run.
const catalog::Catalog* current = nullptr;

constexpr double kUnknownRows = 10'000;

struct Share {
    double here;
    double elsewhere;
};

Share share_of(const catalog::Catalog& herd, const catalog::Group& group) {
    double here = group.shards_of(herd.self);
    return {here, group.shards() - here};
}

// By the last ANALYZE or VACUUM; negative: there was none.
double rows_here(const catalog::Table& table) {
    ::Relation relation = ::table_open(table.relid, NoLock);
    double rows = relation->rd_rel->reltuples;
    ::table_close(relation, NoLock);
    return rows;
}

void set_tuples(::RelOptInfo* rel, double tuples) {
    double factor = rel->tuples > 0 ? tuples / rel->tuples : 1;
    rel->pages = static_cast<::BlockNumber>(::clamp_row_est(rel->pages * factor));
    rel->tuples = tuples;
    for (int i = 0; i < ::list_length(rel->indexlist); ++i) {
        auto* index = static_cast<::IndexOptInfo*>(::list_nth(rel->indexlist, i));
        index->tuples = ::clamp_row_est(index->tuples * factor);
        index->pages = static_cast<::BlockNumber>(::clamp_row_est(index->pages * factor));
    }
}

void adjust_tuples(::PlannerInfo* root, Oid relid, bool inhparent, ::RelOptInfo* rel) {
    if (previous_hook != nullptr) {
        previous_hook(root, relid, inhparent, rel);
    }
    const catalog::Table* table = current == nullptr || inhparent ? nullptr : current->find(relid);
    if (table != nullptr && table->kind == TableKind::kDistributed) {
        bool some_here = share_of(*current, *table->group).here > 0;
        set_tuples(rel, rows_on_nodes(*current, *table) + (some_here ? rel->tuples : 0));
    }
}

}  // namespace

double rows_on_nodes(const catalog::Catalog& herd, const catalog::Table& table) {
    Share share = share_of(herd, *table.group);
    double rows = rows_here(table);
    if (share.here == 0) {
        return rows > 0 ? rows : kUnknownRows;  // ANALYZE has gathered them
    }
    return rows < 0 ? kUnknownRows : rows / share.here * share.elsewhere;
}

double rows_of_herd(const catalog::Catalog& herd, const catalog::Table& table) {
    double here = share_of(herd, *table.group).here > 0 ? rows_here(table) : 0;
    return rows_on_nodes(herd, table) + (here > 0 ? here : 0);
}

double share_of_nodes(const catalog::Catalog& herd, const catalog::Group& group) {
    Share share = share_of(herd, group);
    return share.elsewhere / (share.here + share.elsewhere);
}

Estimate estimate(const catalog::Catalog& herd, const ::Query* query, ::ParamListInfo parameters) {
    const catalog::Catalog* outer = current;
    Estimate result = {0, 0};
    pg::run_finally(
        [&] {
            current = &herd;
            auto* copy = static_cast<::Query*>(copyObjectImpl(query));
            ::PlannedStmt* plan = ::standard_planner(copy, "", 0, parameters);
            result = {plan->planTree->plan_rows, plan->planTree->plan_width};
        },
        [&] { current = outer; });
    return result;
}

void initialize_estimates() {
    previous_hook = ::get_relation_info_hook;
    ::get_relation_info_hook = adjust_tuples;
}

}  // namespace herd::planner
