#include "planner/deparse.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "pg/counters.hpp"
#include "planner/assignments.hpp"
#include "planner/evaluated_here.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "storage/lockdefs.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

namespace herd::planner {

namespace {

// ---- Shape: what ruleutils needs to print a rewritten query -------------------------------------

// The view that the subquery is the expansion of, or InvalidOid. The rewriter leaves the view as
// the first range table entry, for its privileges; nothing else leaves a view there.
Oid view_of(const ::RangeTblEntry* rte) {
    if (OidIsValid(rte->relid)) {
        return rte->relid;
    }
    if (::list_length(rte->subquery->rtable) < 2) {
        return InvalidOid;
    }
    auto* old = static_cast<::RangeTblEntry*>(linitial(rte->subquery->rtable));
    bool is_view = old->rtekind == RTE_RELATION && old->relkind == RELKIND_VIEW &&
                   std::strcmp(old->eref->aliasname, "old") == 0;
    return is_view ? old->relid : InvalidOid;
}

void fold_view(::RangeTblEntry* rte) {
    Oid view = printed_view(rte);
    if (!OidIsValid(view)) {
        return;
    }
    rte->rtekind = RTE_RELATION;
    rte->relid = view;
    rte->relkind = RELKIND_VIEW;
    rte->rellockmode = AccessShareLock;
    rte->inh = true;
    rte->subquery = nullptr;
    rte->security_barrier = false;
}

// A function without rows and columns in FROM has one value: (SELECT value) takes a parameter, a
// function's place does not.
void fold_function(::RangeTblEntry* rte) {
    if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || ::list_length(rte->functions) != 1) {
        return;
    }
    auto* function = static_cast<::RangeTblFunction*>(linitial(rte->functions));
    if (function->funccolnames != NIL || function->funccolcount != 1 ||
        ::type_is_rowtype(::exprType(function->funcexpr)) ||
        !is_evaluated_here(function->funcexpr)) {
        return;
    }
    ::Query* value = makeNode(Query);
    value->commandType = CMD_SELECT;
    value->canSetTag = true;
    value->jointree = ::makeFromExpr(NIL, nullptr);
    char* name = strVal(linitial(rte->eref->colnames));
    value->targetList = list_make1(
        ::makeTargetEntry(reinterpret_cast<::Expr*>(function->funcexpr), 1, name, false));
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = value;
    rte->functions = NIL;
}

// With a single range table entry ruleutils prints bare column names, and an output column of the
// same name wins in ORDER BY.
void force_qualified_names(::Query* query) {
    if (::list_length(query->rtable) != 1) {
        return;
    }
    ::RangeTblEntry* nothing = makeNode(RangeTblEntry);
    nothing->rtekind = RTE_RESULT;
    nothing->eref = ::makeAlias("*RESULT*", NIL);
    query->rtable = ::lappend(query->rtable, nothing);
}

// The original of a branch of a recursive union, out of the query that the rewriter has wrapped
// around.
::Query* unwrap_branch(const ::Query* recursion, ::Node* branch, int columns) {
    int rti = reinterpret_cast<::RangeTblRef*>(branch)->rtindex;
    ::Query* wrapper = rt_fetch(rti, recursion->rtable)->subquery;
    ::Query* original = static_cast<::RangeTblEntry*>(linitial(wrapper->rtable))->subquery;
    original->targetList = ::list_truncate(original->targetList, columns);
    ::IncrementVarSublevelsUp(reinterpret_cast<::Node*>(original), -1, 2);
    rt_fetch(rti, recursion->rtable)->subquery = original;
    return original;
}

// Undoes what the rewriter does for SEARCH and CYCLE: its records with a named field are not SQL,
// and the clauses are in the tree still.
void restore_search(::CommonTableExpr* cte) {
    if (cte->search_clause == nullptr && cte->cycle_clause == nullptr) {
        return;
    }
    int added = (cte->search_clause == nullptr ? 0 : 1) + (cte->cycle_clause == nullptr ? 0 : 2);
    int columns = ::list_length(cte->ctecolnames) - added;
    auto* recursion = reinterpret_cast<::Query*>(cte->ctequery);
    auto* branches = reinterpret_cast<::SetOperationStmt*>(recursion->setOperations);
    unwrap_branch(recursion, branches->larg, columns);
    ::Query* recursive = unwrap_branch(recursion, branches->rarg, columns);
    recursion->targetList = ::list_truncate(recursion->targetList, columns);
    for (int i = 0; i < ::list_length(recursive->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(recursive->rtable, i));
        if (rte->rtekind == RTE_CTE && rte->self_reference && rte->ctelevelsup == 2 &&
            std::strcmp(rte->ctename, cte->ctename) == 0) {
            rte->eref->colnames = ::list_truncate(rte->eref->colnames, columns);
        }
    }
}

void shape_level(::Query* query) {
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        fold_view(rte);
        fold_function(rte);
        rte->securityQuals = NIL;
    }
    query->withCheckOptions = NIL;
    restore_assignments(query);
    if (query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE) {
        // Through an updatable view the target comes from the view's FROM and would be printed
        // twice.
        rt_fetch(query->resultRelation, query->rtable)->inFromCl = false;
    }
    force_qualified_names(query);
}

bool shape(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        shape_level(query);
        return pg::compat::walk_query(query, shape, context, 0);
    }
    if (IsA(node, CommonTableExpr)) {
        restore_search(reinterpret_cast<::CommonTableExpr*>(node));
    }
    return pg::compat::walk_expression(node, shape, context);
}

// ---- Parameters
// ----------------------------------------------------------------------------------

struct Parameters {
    ::List* originals;  // as they are in the query, to find equal ones
    ::List* planned;
};

bool is_collate(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    return IsA(node, CollateExpr) || pg::compat::walk_expression(node, is_collate, context);
}

int number_of(Parameters& parameters, ::Node* expression) {
    for (int i = 0; i < ::list_length(parameters.originals); ++i) {
        if (::equal(::list_nth(parameters.originals, i), expression)) {
            return i + 1;
        }
    }
    parameters.originals = ::lappend(parameters.originals, expression);
    ::Expr* planned = ::expression_planner(static_cast<::Expr*>(copyObjectImpl(expression)));
    parameters.planned = ::lappend(parameters.planned, planned);
    return ::list_length(parameters.planned);
}

// The parameter that stands for the expression, with the casts and the collation that make the node
// see the type that it has here.
::Node* parameter_for(Parameters& parameters, ::Node* expression) {
    ::Param* param = makeNode(Param);
    param->paramkind = PARAM_EXTERN;
    param->paramid = number_of(parameters, expression);
    param->paramtype = ::exprType(expression);
    param->paramtypmod = ::exprTypmod(expression);
    param->paramcollid = ::exprCollation(expression);
    param->location = -1;
    auto* result = reinterpret_cast<::Expr*>(param);
    Oid own_collation = ::get_typcollation(param->paramtype);
    if (param->paramtype >= FirstNormalObjectId) {
        ::RelabelType* cast = ::makeRelabelType(result, param->paramtype, param->paramtypmod,
                                                param->paramcollid, COERCE_EXPLICIT_CAST);
        result = reinterpret_cast<::Expr*>(cast);
    }
    if (OidIsValid(param->paramcollid) &&
        (param->paramcollid != own_collation || is_collate(expression, nullptr))) {
        ::CollateExpr* collate = makeNode(CollateExpr);
        collate->arg = result;
        collate->collOid = param->paramcollid;
        collate->location = -1;
        result = reinterpret_cast<::Expr*>(collate);
    }
    return reinterpret_cast<::Node*>(result);
}

bool is_extern_param(const ::Node* node) {
    return IsA(node, Param) && reinterpret_cast<const ::Param*>(node)->paramkind == PARAM_EXTERN;
}

::Node* parameterize(::Node* node, void* context) {
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Query)) {
        return reinterpret_cast<::Node*>(pg::compat::mutate_query(
            reinterpret_cast<::Query*>(node), parameterize, context, QTW_IGNORE_JOINALIASES));
    }
    if (IsA(node, RangeTblFunction)) {
        // FROM takes a call, not a value.
        auto* copy = static_cast<::RangeTblFunction*>(::palloc(sizeof(::RangeTblFunction)));
        *copy = *reinterpret_cast<::RangeTblFunction*>(node);
        copy->funcexpr = pg::compat::mutate_expression(copy->funcexpr, parameterize, context);
        return reinterpret_cast<::Node*>(copy);
    }
    if (is_extern_param(node) || is_evaluated_here(node)) {
        return parameter_for(*static_cast<Parameters*>(context), node);
    }
    return pg::compat::mutate_expression(node, parameterize, context);
}

// ---- Text
// ----------------------------------------------------------------------------------------

// Settings that names and literals are printed by, and the values with which any server reads them
// back.
struct Setting {
    const char* name;
    const char* value;
};
constexpr Setting kPrinting[] = {
    {"search_path", "pg_catalog"}, {"quote_all_identifiers", "off"}, {"DateStyle", "ISO"},
    {"IntervalStyle", "postgres"}, {"extra_float_digits", "3"},      {"bytea_output", "hex"},
};

char* print(::Query* query) {
    int level = ::NewGUCNestLevel();
    for (const Setting& setting : kPrinting) {
        ::set_config_option(setting.name, setting.value, PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    }
    char* text = ::pg_get_querydef(query, false);
    ::AtEOXact_GUC(true, level);
    return text;
}

}  // namespace

Oid printed_view(const ::RangeTblEntry* rte) {
    Oid view = rte->rtekind == RTE_SUBQUERY ? view_of(rte) : InvalidOid;
    bool kept = OidIsValid(view) && ::get_rel_persistence(view) != RELPERSISTENCE_TEMP;
    return kept ? view : InvalidOid;
}

RemoteText deparse(const ::Query* query, const char* prefix) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    shape(reinterpret_cast<::Node*>(copy), nullptr);
    Parameters parameters = {NIL, NIL};
    ::Node* prepared = parameterize(reinterpret_cast<::Node*>(copy), &parameters);
    char* text = print(reinterpret_cast<::Query*>(prepared));
    pg::count(pg::Counter::kDeparsed);
    return {*prefix == '\0' ? text : ::psprintf("%s%s", prefix, text), parameters.planned};
}

}  // namespace herd::planner
