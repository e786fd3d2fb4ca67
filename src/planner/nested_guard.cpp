#include "planner/nested_guard.hpp"

#include <cstring>

#include "base/sqlstate.hpp"
#include "pg/compat.hpp"
#include "planner/key_graph.hpp"
#include "planner/ownership_check.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

[[noreturn]] void refuse(const char* message, Oid relid, const char* detail, const char* hint) {
    ereport(ERROR, (errcode(sqlstate::kNestedOnNode.code), errmsg(message, ::get_rel_name(relid)),
                    errdetail("%s", detail), errhint("%s", hint)));
    pg_unreachable();
}

// ---- tables and sequences ----

bool is_temporary(Oid relid) {
    return ::get_rel_persistence(relid) == RELPERSISTENCE_TEMP;
}

// Rows of such a table are on the coordinator; the node has its definition only. What an extension
// brings along is every server's own.
bool is_coordinators(const ::RangeTblEntry* rte) {
    bool stores = rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_PARTITIONED_TABLE ||
                  rte->relkind == RELKIND_MATVIEW;
    return stores && rte->relid >= FirstNormalObjectId && !is_temporary(rte->relid) &&
           !OidIsValid(::getExtensionOfObject(RelationRelationId, rte->relid));
}

void check_entry(const catalog::Catalog& herd, const ::RangeTblEntry* rte) {
    if (rte->rtekind == RTE_RELATION && !herd.is_coordinator() &&
        herd.find(rte->relid) == nullptr && is_coordinators(rte)) {
        refuse("a statement in a function needs table \"%s\", whose rows are on the coordinator",
               rte->relid, "The function runs on a node of the herd.",
               "Make it a reference table with herd.reference(), or distribute it by the same key "
               "with herd.distribute().");
    }
}

void check_target(const catalog::Catalog& herd, const ::Query* query) {
    if (query->commandType == CMD_SELECT || query->resultRelation == 0) {
        return;
    }
    Oid relid = rt_fetch(query->resultRelation, query->rtable)->relid;
    const catalog::Table* table = herd.find(relid);
    if (table == nullptr) {
        return;
    }
    if (table->kind == TableKind::kReference) {
        if (herd.nodes.size() > 1) {
            refuse("a statement in a function would change reference table \"%s\" on one node only",
                   relid, "The function runs on a node of the herd.",
                   "Change it with a statement of its own, from the coordinator.");
        }
    } else if (query->commandType == CMD_MERGE && !table->group->all_here) {
        refuse("a statement in a function would MERGE into table \"%s\"", relid,
               "The function runs on a node that holds a part of the table.",
               "Use INSERT ... ON CONFLICT, UPDATE and DELETE in the function.");
    }
}

void refuse_sequence(Oid sequence) {
    if (OidIsValid(sequence) && is_temporary(sequence)) {
        return;
    }
    ereport(ERROR,
            (errcode(sqlstate::kNestedOnNode.code),
             OidIsValid(sequence) ? errmsg("a function on a node cannot draw from sequence \"%s\"",
                                           ::get_rel_name(sequence))
                                  : errmsg("a function on a node cannot draw from a sequence"),
             errdetail("Sequences count on the coordinator; the node's copy would give out numbers "
                       "a second time."),
             errhint("Let the client's own statement name the value or leave it to the column's "
                     "default, or use gen_random_uuid().")));
}

void check_function(const ::FuncExpr* call) {
    if (call->funcid != F_NEXTVAL && call->funcid != F_SETVAL_REGCLASS_INT8 &&
        call->funcid != F_SETVAL_REGCLASS_INT8_BOOL) {
        return;
    }
    auto* sequence = static_cast<::Const*>(linitial(call->args));
    bool known = IsA(sequence, Const) && !sequence->constisnull;
    refuse_sequence(known ? DatumGetObjectId(sequence->constvalue) : InvalidOid);
}

bool check_walker(::Node* node, void* context) {
    const auto& herd = *static_cast<const catalog::Catalog*>(context);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        check_entry(herd, reinterpret_cast<::RangeTblEntry*>(node));
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        check_target(herd, query);
        return pg::compat::walk_query(query, check_walker, context, QTW_EXAMINE_RTES_BEFORE);
    }
    if (IsA(node, FuncExpr) && !herd.is_coordinator()) {
        check_function(reinterpret_cast<::FuncExpr*>(node));
    } else if (IsA(node, NextValueExpr) && !herd.is_coordinator()) {
        refuse_sequence(reinterpret_cast<::NextValueExpr*>(node)->seqid);
    }
    return pg::compat::walk_expression(node, check_walker, context);
}

// ---- keys ----

bool has_other_param(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Param)) {
        return reinterpret_cast<::Param*>(node)->paramkind != PARAM_EXTERN;
    }
    return pg::compat::walk_expression(node, has_other_param, context);
}

// The table that rows are added to, whose rows are checked one by one, or ON CONFLICT's name for
// them.
bool is_insert_target(const DistributedRef& ref) {
    const ::Query* level = ref.level;
    auto rti = static_cast<int>(ref.rti);
    return level->commandType == CMD_INSERT &&
           (rti == level->resultRelation ||
            (level->onConflict != nullptr && rti == level->onConflict->exclRelIndex));
}

void refuse_key_change(const DistributedRef& ref, const ::List* assignments) {
    for (int i = 0; i < ::list_length(assignments); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(assignments, i));
        if (!entry->resjunk && entry->resno == ref.table->key_attnum) {
            ereport(ERROR,
                    (errcode(sqlstate::kKeyUpdate.code),
                     errmsg("a statement in a function would change the distribution key of table "
                            "\"%s\"",
                            ::get_rel_name(ref.table->relid)),
                     errdetail("The function runs on a node of the herd, and the row might belong "
                               "to another one afterwards."),
                     errhint("Delete the row and insert it again from the coordinator.")));
        }
    }
}

void check_assignments(const DistributedRef& ref) {
    const ::Query* level = ref.level;
    if (static_cast<int>(ref.rti) != level->resultRelation) {
        return;
    }
    if (level->commandType == CMD_UPDATE) {
        refuse_key_change(ref, level->targetList);
    } else if (level->commandType == CMD_INSERT && level->onConflict != nullptr) {
        refuse_key_change(ref, level->onConflict->onConflictSet);
    }
}

[[noreturn]] void refuse_unfixed(const DistributedRef& ref) {
    const char* key = ::get_attname(ref.table->relid, ref.table->key_attnum, false);
    ereport(
        ERROR,
        (errcode(sqlstate::kNestedOnNode.code),
         errmsg("a statement in a function needs rows of table \"%s\" that other nodes hold",
                ::get_rel_name(ref.table->relid)),
         errdetail("The function runs on a node of the herd, and nothing in the statement fixes "
                   "the key \"%s\".",
                   key),
         errhint("Add a condition %s = ... to the statement, or run it from the coordinator.",
                 key)));
    pg_unreachable();
}

// What the key is equal to, ready to run; or nullptr.
::Expr* planned_key(const KeyGraph& graph, const DistributedRef& ref) {
    ::Node* value = fixed_value(graph, ref.key_node);
    if (value == nullptr || has_other_param(value, nullptr)) {
        return nullptr;
    }
    return ::expression_planner(reinterpret_cast<::Expr*>(copyObjectImpl(value)));
}

::List* check_ref(const catalog::Catalog& herd, const KeyGraph& graph, const DistributedRef& ref,
                  ::List* checks) {
    check_assignments(ref);
    if (is_insert_target(ref)) {
        return checks;
    }
    ::Expr* key = planned_key(graph, ref);
    if (key == nullptr) {
        refuse_unfixed(ref);
    }
    if (IsA(key, Const)) {
        auto* constant = reinterpret_cast<::Const*>(key);
        if (!constant->constisnull) {
            require_own_key(herd, *ref.table, constant->consttype, constant->constvalue, false);
        }
        return checks;
    }
    auto* check = static_cast<KeyCheck*>(::palloc(sizeof(KeyCheck)));
    check->table = ref.table;
    check->key = key;
    return ::lappend(checks, check);
}

// ---- foreign keys ----

// A column or a parameter, with the casts that ri_triggers.c adds.
bool is_plain_operand(::Node* node) {
    while (node != nullptr) {
        if (IsA(node, Var)) {
            return reinterpret_cast<::Var*>(node)->varlevelsup == 0;
        }
        if (IsA(node, Param)) {
            return reinterpret_cast<::Param*>(node)->paramkind == PARAM_EXTERN;
        }
        if (IsA(node, RelabelType)) {
            node = reinterpret_cast<::Node*>(reinterpret_cast<::RelabelType*>(node)->arg);
        } else if (IsA(node, FuncExpr) &&
                   reinterpret_cast<::FuncExpr*>(node)->funcformat != COERCE_EXPLICIT_CALL &&
                   ::list_length(reinterpret_cast<::FuncExpr*>(node)->args) >= 1) {
            node = static_cast<::Node*>(linitial(reinterpret_cast<::FuncExpr*>(node)->args));
        } else {
            return false;
        }
    }
    return false;
}

bool is_plain_condition(::Node* node) {
    if (node == nullptr || !IsA(node, OpExpr)) {
        return false;
    }
    ::List* operands = reinterpret_cast<::OpExpr*>(node)->args;
    return ::list_length(operands) == 2 &&
           is_plain_operand(static_cast<::Node*>(linitial(operands))) &&
           is_plain_operand(static_cast<::Node*>(lsecond(operands)));
}

bool has_plain_conditions(::Node* quals) {
    if (quals == nullptr || !::is_andclause(quals)) {
        return is_plain_condition(quals);
    }
    ::List* conditions = reinterpret_cast<::BoolExpr*>(quals)->args;
    for (int i = 0; i < ::list_length(conditions); ++i) {
        if (!is_plain_condition(static_cast<::Node*>(::list_nth(conditions, i)))) {
            return false;
        }
    }
    return true;
}

}  // namespace

// ri_triggers.c lifts FORCE ROW LEVEL SECURITY around its queries, but a user's trigger that a
// cascade fires inherits that: so the query's shape and text must be theirs as well.
bool is_foreign_key_query(const ::Query* query, const char* query_string) {
    return ::InNoForceRLSOperation() && query->commandType != CMD_UTILITY &&
           query->commandType != CMD_INSERT && ::list_length(query->rtable) == 1 &&
           query->cteList == NIL && !query->hasSubLinks && !query->hasAggs &&
           linitial_node(RangeTblEntry, query->rtable)->rtekind == RTE_RELATION &&
           has_plain_conditions(query->jointree->quals) && query_string != nullptr &&
           std::strstr(query_string, " OPERATOR(") != nullptr;
}

::List* guard_query(const catalog::Catalog& herd, ::Query* query) {
    check_walker(reinterpret_cast<::Node*>(query), const_cast<catalog::Catalog*>(&herd));
    ::List* checks = NIL;
    KeyGraph* graph = build_key_graph(herd, query);
    for (int i = 0; i < ::list_length(graph->refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph->refs, i));
        if (!ref->table->group->all_here) {
            checks = check_ref(herd, *graph, *ref, checks);
        }
    }
    return checks;
}

namespace {

// An INSERT's rows, where its table has rows on other nodes.
void guard_insert(const catalog::Catalog& herd, const ::PlannedStmt* statement, ::Plan* plan) {
    auto* modify = reinterpret_cast<::ModifyTable*>(plan);
    if (plan == nullptr || !IsA(plan, ModifyTable) || modify->operation != CMD_INSERT) {
        return;
    }
    int rti = linitial_int(modify->resultRelations);
    const catalog::Table* table = herd.find(rt_fetch(rti, statement->rtable)->relid);
    if (table != nullptr && table->group != nullptr && !table->group->all_here) {
        outerPlan(plan) = check_rows(outerPlan(plan), *table);
    }
}

}  // namespace

void guard_plan(const catalog::Catalog& herd, ::PlannedStmt* statement, const ::List* checks) {
    guard_insert(herd, statement, statement->planTree);
    for (int i = 0; i < ::list_length(statement->subplans); ++i) {
        guard_insert(herd, statement, static_cast<::Plan*>(::list_nth(statement->subplans, i)));
    }
    if (checks != NIL) {
        statement->planTree = check_keys(statement->planTree, checks);
    }
}

}  // namespace herd::planner
