// Co-located joins as fragments: tables of one group that a query level joins by equality of their
// distribution keys are computed together by every node.
//
// Merged are JOINs of any kind whose both sides are single tables or merged joins and whose ON has
// the keys' equality, and items of FROM that WHERE joins in that way. Conditions on the merged
// tables stay outside: the planner pushes them into both halves of the replacing relation.
#include <cstring>

#include "pg/compat.hpp"
#include "planner/estimate.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/key_graph.hpp"
#include "planner/remote_relation.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// A jointree node that is one fragment already.
struct Part {
    ::Node* node;
    const catalog::Group* group;  // nullptr: not a fragment
    ::Bitmapset* rtis;            // of tables
    ::Bitmapset* joins;           // of RTE_JOIN entries
    ::List* keys;                 // of Var: the tables' keys, equal to each other where not null
    Oid check_as;
    double rows;
    int tables;
};

struct Level {
    Rewrite* rewrite;
    ::Query* query;
    ::List* merged;  // of Part*, with two tables or more
};

Part* opaque(::Node* node) {
    auto* part = static_cast<Part*>(::palloc0(sizeof(Part)));
    part->node = node;
    return part;
}

bool has_row_mark(const ::Query* query, int rti) {
    for (int i = 0; i < ::list_length(query->rowMarks); ++i) {
        if (static_cast<int>(static_cast<::RowMarkClause*>(::list_nth(query->rowMarks, i))->rti) ==
            rti) {
            return true;
        }
    }
    return false;
}

Part* part_of_table(Level& level, ::Node* node) {
    int rti = reinterpret_cast<::RangeTblRef*>(node)->rtindex;
    Part* part = opaque(node);
    ::RangeTblEntry* rte = rt_fetch(rti, level.query->rtable);
    const catalog::Table* table =
        rte->rtekind == RTE_RELATION ? level.rewrite->herd->find(rte->relid) : nullptr;
    if (table == nullptr || table->kind != TableKind::kDistributed || table->group->all_here ||
        rti == level.query->resultRelation || has_row_mark(level.query, rti) ||
        rte->securityQuals != NIL || rte->tablesample != nullptr) {
        return part;
    }
    part->group = table->group;
    part->rtis = ::bms_make_singleton(rti);
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ::get_atttypetypmodcoll(rte->relid, table->key_attnum, &type, &typmod, &collation);
    part->keys = ::list_make1(::makeVar(rti, table->key_attnum, type, typmod, collation, 0));
    part->check_as = rte->checkAsUser;
    part->tables = 1;
    return part;
}

::Expr* bare(::Expr* expression) {
    while (expression != nullptr && IsA(expression, RelabelType)) {
        expression = reinterpret_cast<::RelabelType*>(expression)->arg;
    }
    return expression;
}

bool is_key_of(::Expr* expression, const Part& part) {
    auto* var = reinterpret_cast<::Var*>(bare(expression));
    if (var == nullptr || !IsA(var, Var) || var->varlevelsup != 0) {
        return false;
    }
    for (int i = 0; i < ::list_length(part.keys); ++i) {
        auto* key = static_cast<::Var*>(::list_nth(part.keys, i));
        if (key->varno == var->varno && key->varattno == var->varattno) {
            return true;
        }
    }
    return false;
}

bool equates_keys(::Node* condition, const Part& left, const Part& right) {
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (condition == nullptr || !IsA(condition, OpExpr) || ::list_length(operation->args) != 2) {
        return false;
    }
    auto* one = static_cast<::Expr*>(linitial(operation->args));
    auto* other = static_cast<::Expr*>(lsecond(operation->args));
    bool keys = (is_key_of(one, left) && is_key_of(other, right)) ||
                (is_key_of(one, right) && is_key_of(other, left));
    return keys &&
           is_hash_equality(operation->opno, ::exprType(reinterpret_cast<::Node*>(bare(one))),
                            ::exprType(reinterpret_cast<::Node*>(bare(other))));
}

::List* conditions_of(::Node* quals) {
    return ::make_ands_implicit(reinterpret_cast<::Expr*>(quals));
}

bool has_key_equality(::Node* quals, const Part& left, const Part& right) {
    ::List* conditions = conditions_of(quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        if (equates_keys(static_cast<::Node*>(::list_nth(conditions, i)), left, right)) {
            return true;
        }
    }
    return false;
}

// A condition that can go inside: nothing but columns of this level, sublink-free and computable
// there.
bool can_go_inside(::Node* condition) {
    return condition == nullptr ||
           (!::checkExprHasSubLink(condition) && !::contain_vars_of_level(condition, 1) &&
            sendable_expression(condition) && is_shippable(condition) &&
            !::contain_volatile_functions(condition));
}

Part* join_parts(const Part& left, const Part& right, ::Node* node) {
    Part* part = opaque(node);
    part->group = left.group;
    part->rtis = ::bms_union(left.rtis, right.rtis);
    part->joins = ::bms_union(left.joins, right.joins);
    part->check_as = left.check_as;
    part->tables = left.tables + right.tables;
    return part;
}

bool may_join(const Part& left, const Part& right) {
    return left.group != nullptr && left.group == right.group && left.check_as == right.check_as;
}

Part* visit(Level& level, ::Node* node);

void keep(Level& level, Part* part) {
    if (part->group != nullptr && part->tables > 1) {
        level.merged = ::lappend(level.merged, part);
    }
}

Part* visit_join(Level& level, ::JoinExpr* join) {
    Part* left = visit(level, join->larg);
    Part* right = visit(level, join->rarg);
    auto* node = reinterpret_cast<::Node*>(join);
    if (may_join(*left, *right) && has_key_equality(join->quals, *left, *right) &&
        can_go_inside(join->quals)) {
        Part* part = join_parts(*left, *right, node);
        part->joins = ::bms_add_member(part->joins, join->rtindex);
        // A nullable side's keys may be null where the other's is not: only the preserved side's
        // may be joined on.
        switch (join->jointype) {
            case JOIN_INNER:
                part->keys = ::list_concat_copy(left->keys, right->keys);
                break;
            case JOIN_LEFT:
                part->keys = left->keys;
                break;
            case JOIN_RIGHT:
                part->keys = right->keys;
                break;
            default:
                part->keys = NIL;
        }
        return part;
    }
    keep(level, left);
    keep(level, right);
    return opaque(node);
}

// One FROM with the items of both parts: the deparser knows no FROM inside of a FROM.
::Node* merged_items(const Part& left, const Part& right, ::List* conditions) {
    ::List* items = NIL;
    for (const Part* part : {&left, &right}) {
        if (IsA(part->node, FromExpr)) {
            auto* from = reinterpret_cast<::FromExpr*>(part->node);
            items = ::list_concat(items, from->fromlist);
            conditions = ::list_concat(conditions, conditions_of(from->quals));
        } else {
            items = ::lappend(items, part->node);
        }
    }
    return reinterpret_cast<::Node*>(
        ::makeFromExpr(items, reinterpret_cast<::Node*>(::make_ands_explicit(conditions))));
}

// FROM's items that WHERE joins by their keys become one item.
Part* visit_from(Level& level, ::FromExpr* from) {
    ::List* parts = NIL;
    for (int i = 0; i < ::list_length(from->fromlist); ++i) {
        parts = ::lappend(parts, visit(level, static_cast<::Node*>(::list_nth(from->fromlist, i))));
    }
    ::List* done = NIL;
    while (parts != NIL) {
        auto* part = static_cast<Part*>(linitial(parts));
        parts = ::list_delete_first(parts);
        bool merged = false;
        for (int i = 0; i < ::list_length(parts) && !merged; ++i) {
            auto* other = static_cast<Part*>(::list_nth(parts, i));
            if (may_join(*part, *other) && has_key_equality(from->quals, *part, *other)) {
                ::List* equalities = NIL;
                ::List* conditions = conditions_of(from->quals);
                for (int c = 0; c < ::list_length(conditions); ++c) {
                    auto* condition = static_cast<::Node*>(::list_nth(conditions, c));
                    if (equates_keys(condition, *part, *other)) {
                        equalities = ::lappend(equalities, copyObjectImpl(condition));
                    }
                }
                Part* both = join_parts(*part, *other, merged_items(*part, *other, equalities));
                both->keys = ::list_concat_copy(part->keys, other->keys);
                parts = ::list_delete_nth_cell(parts, i);
                parts = ::lcons(both, parts);
                merged = true;
            }
        }
        if (!merged) {
            done = ::lappend(done, part);
        }
    }
    from->fromlist = NIL;
    for (int i = 0; i < ::list_length(done); ++i) {
        auto* part = static_cast<Part*>(::list_nth(done, i));
        from->fromlist = ::lappend(from->fromlist, part->node);
        keep(level, part);
    }
    return opaque(reinterpret_cast<::Node*>(from));
}

Part* visit(Level& level, ::Node* node) {
    if (IsA(node, RangeTblRef)) {
        return part_of_table(level, node);
    }
    if (IsA(node, JoinExpr)) {
        return visit_join(level, reinterpret_cast<::JoinExpr*>(node));
    }
    return visit_from(level, reinterpret_cast<::FromExpr*>(node));
}

// --- replacing a merged part by one relation ---

struct Replacing {
    const Part* part;
    int level;
    ::Index relation;  // the new entry
    ::List* outputs;   // of Output, found as columns are met
    bool fits;         // no whole row, no system column
};

::Node* replace_columns(::Node* node, void* argument) {
    auto& state = *static_cast<Replacing*>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) != state.level ||
            !::bms_is_member(var->varno, state.part->rtis)) {
            return static_cast<::Node*>(copyObjectImpl(node));
        }
        if (var->varattno <= 0) {
            state.fits = false;
            return static_cast<::Node*>(copyObjectImpl(node));
        }
        auto* own = static_cast<::Var*>(copyObjectImpl(var));
        own->varlevelsup = 0;
        int position = 0;
        for (int i = 0; i < ::list_length(state.outputs) && position == 0; ++i) {
            if (equal(static_cast<Output*>(::list_nth(state.outputs, i))->expression, own)) {
                position = i + 1;
            }
        }
        if (position == 0) {
            auto* output = static_cast<Output*>(::palloc0(sizeof(Output)));
            position = ::list_length(state.outputs) + 1;
            output->position = static_cast<::AttrNumber>(position);
            output->expression = reinterpret_cast<::Expr*>(own);
            output->name = ::psprintf("c%d", position);
            output->used = true;
            state.outputs = ::lappend(state.outputs, output);
        }
        auto* replaced = static_cast<::Var*>(copyObjectImpl(var));
        replaced->varno = static_cast<int>(state.relation);
        replaced->varattno = static_cast<::AttrNumber>(position);
        replaced->varnosyn = 0;
        replaced->varattnosyn = 0;
        return reinterpret_cast<::Node*>(replaced);
    }
    if (IsA(node, Query)) {
        ++state.level;
        ::Query* query = pg::compat::mutate_query(reinterpret_cast<::Query*>(node), replace_columns,
                                                  argument, QTW_IGNORE_JOINALIASES);
        --state.level;
        return reinterpret_cast<::Node*>(query);
    }
    return pg::compat::mutate_expression(node, replace_columns, argument);
}

::RangeTblEntry* blank_entry() {
    auto* blank = makeNode(RangeTblEntry);
    blank->rtekind = RTE_RESULT;
    blank->eref = ::makeAlias("*RESULT*", NIL);
    return blank;
}

// The merged tables as a query of their own, with every other entry blanked out.
::Query* base_query(const Level& level, const Part& part) {
    auto* base = makeNode(Query);
    base->commandType = CMD_SELECT;
    base->canSetTag = true;
    for (int i = 0; i < ::list_length(level.query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(level.query->rtable, i));
        if (::bms_is_member(i + 1, part.rtis) || ::bms_is_member(i + 1, part.joins)) {
            base->rtable = ::lappend(base->rtable, copyObjectImpl(rte));
            continue;
        }
        base->rtable = ::lappend(base->rtable, blank_entry());
    }
    base->jointree = ::makeFromExpr(::list_make1(copyObjectImpl(part.node)), nullptr);
    if (IsA(part.node, FromExpr)) {
        base->jointree = static_cast<::FromExpr*>(copyObjectImpl(part.node));
    }
    return base;
}

::Node* swap_node(::Node* node, const ::Node* old_node, ::Node* new_node) {
    if (node == old_node) {
        return new_node;
    }
    if (IsA(node, FromExpr)) {
        auto* from = reinterpret_cast<::FromExpr*>(node);
        for (int i = 0; i < ::list_length(from->fromlist); ++i) {
            ::ListCell* cell = list_nth_cell(from->fromlist, i);
            lfirst(cell) = swap_node(static_cast<::Node*>(lfirst(cell)), old_node, new_node);
        }
    } else if (IsA(node, JoinExpr)) {
        auto* join = reinterpret_cast<::JoinExpr*>(node);
        join->larg = swap_node(join->larg, old_node, new_node);
        join->rarg = swap_node(join->rarg, old_node, new_node);
    }
    return node;
}

void name_tables(const Level& level, const Part& part, Fragment* fragment) {
    int rti = -1;
    while ((rti = ::bms_next_member(part.rtis, rti)) >= 0) {
        Oid relid = rt_fetch(rti, level.query->rtable)->relid;
        fragment->names = ::lappend(fragment->names, ::makeString(::get_rel_name(relid)));
    }
}

// A reference to an entry, found again after the tree has been copied.
::Node* swap_reference(::Node* node, int rtindex, ::Node* new_node) {
    if (IsA(node, RangeTblRef)) {
        return reinterpret_cast<::RangeTblRef*>(node)->rtindex == rtindex ? new_node : node;
    }
    if (IsA(node, FromExpr)) {
        auto* from = reinterpret_cast<::FromExpr*>(node);
        for (int i = 0; i < ::list_length(from->fromlist); ++i) {
            ::ListCell* cell = list_nth_cell(from->fromlist, i);
            lfirst(cell) = swap_reference(static_cast<::Node*>(lfirst(cell)), rtindex, new_node);
        }
    } else if (IsA(node, JoinExpr)) {
        auto* join = reinterpret_cast<::JoinExpr*>(node);
        join->larg = swap_reference(join->larg, rtindex, new_node);
        join->rarg = swap_reference(join->rarg, rtindex, new_node);
    }
    return node;
}

::RangeTblEntry* joined_entry(const Level& level, const Part& part, ::Query* base,
                              const ::List* outputs) {
    Fragment* fragment =
        new_fragment(*level.rewrite, fragment_query(base, outputs), part.group->id.value);
    fragment->role = part.check_as;
    fragment->rows =
        estimate(*level.rewrite->herd, fragment->query, RowsOf::kNodes, level.rewrite->parameters)
            .rows;
    name_tables(level, part, fragment);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        names = ::lappend(
            names, ::makeString(::pstrdup(static_cast<Output*>(::list_nth(outputs, i))->name)));
    }
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = replacement(*fragment, base, outputs, part.group->some_here);
    rte->eref = ::makeAlias("herd_join", names);
    rte->inFromCl = true;
    return rte;
}

// The columns of the part become the new entry's; where that can't be, the join goes back to its
// place.
void replace_part(Level& level, const Part& part, ::Query* base) {
    ::Query* query = level.query;
    int rtindex = ::list_length(query->rtable) + 1;
    Replacing state = {&part, 0, static_cast<::Index>(rtindex), NIL, true};
    ::Query* replaced =
        pg::compat::mutate_query(query, replace_columns, &state, QTW_IGNORE_JOINALIASES);
    if (state.fits) {
        ::RangeTblEntry* entry = joined_entry(level, part, base, state.outputs);
        std::memcpy(query, replaced, sizeof(::Query));
        query->rtable = ::lappend(query->rtable, entry);
        // The planner takes each join entry for a join that it has to find.
        int join = -1;
        while ((join = ::bms_next_member(part.joins, join)) >= 0) {
            lfirst(list_nth_cell(query->rtable, join - 1)) = blank_entry();
        }
    } else {
        (void)swap_reference(reinterpret_cast<::Node*>(query->jointree), rtindex, part.node);
        query->rtable = ::lappend(query->rtable, blank_entry());
    }
}

// Columns of joins by the columns they stand for, so that join entries may go.
void flatten_join_columns(::Query* query) {
    auto flat = [&](::Node* node) { return ::flatten_join_alias_vars(query, node); };
    query->targetList =
        reinterpret_cast<::List*>(flat(reinterpret_cast<::Node*>(query->targetList)));
    query->jointree =
        reinterpret_cast<::FromExpr*>(flat(reinterpret_cast<::Node*>(query->jointree)));
    query->havingQual = flat(query->havingQual);
    query->returningList =
        reinterpret_cast<::List*>(flat(reinterpret_cast<::Node*>(query->returningList)));
    query->limitCount = flat(query->limitCount);
    query->limitOffset = flat(query->limitOffset);
    query->windowClause =
        reinterpret_cast<::List*>(flat(reinterpret_cast<::Node*>(query->windowClause)));
}

bool has_lateral(const ::Query* query) {
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        if (static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i))->lateral) {
            return true;
        }
    }
    return false;
}

int distributed_tables(const Level& level) {
    int count = 0;
    for (int i = 0; i < ::list_length(level.query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(level.query->rtable, i));
        count += rte->rtekind == RTE_RELATION && level.rewrite->herd->find(rte->relid) != nullptr;
    }
    return count;
}

}  // namespace

void merge_joins(Rewrite& rewrite, ::Query* query) {
    Level level = {&rewrite, query, NIL};
    // A lateral item refers to tables of this level in ways that a merge would have to follow.
    if (query->commandType != CMD_SELECT || query->setOperations != nullptr ||
        query->rowMarks != NIL || distributed_tables(level) < 2 || has_lateral(query)) {
        return;
    }
    flatten_join_columns(query);
    (void)visit(level, reinterpret_cast<::Node*>(query->jointree));
    ::List* bases = NIL;
    int entries = ::list_length(query->rtable);
    for (int i = 0; i < ::list_length(level.merged); ++i) {
        auto* part = static_cast<Part*>(::list_nth(level.merged, i));
        bases = ::lappend(bases, base_query(level, *part));
        auto* reference = makeNode(RangeTblRef);
        reference->rtindex = entries + i + 1;
        (void)swap_node(reinterpret_cast<::Node*>(query->jointree), part->node,
                        reinterpret_cast<::Node*>(reference));
    }
    for (int i = 0; i < ::list_length(level.merged); ++i) {
        replace_part(level, *static_cast<Part*>(::list_nth(level.merged, i)),
                     static_cast<::Query*>(::list_nth(bases, i)));
    }
}

}  // namespace herd::planner
