// What a plan says about a statement that nodes run, in a form that copyObject can carry.
// PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

struct SortColumn {
    ::AttrNumber column;
    Oid sort_operator;
    Oid collation;
    bool nulls_first;
};

struct RemotePlan {
    char* text = nullptr;
    uint64 plan_id = 0;         // this backend's number for the text, for prepared statements
    int32 group_id = 0;         // 0: every node (a reference table)
    bool routed = false;        // one node, by the key expression: the first of custom_exprs
    bool by_keys = false;       // the nodes of some keys: that expression is an array of them
    bool writes = false;        // changes or locks rows
    bool repeatable = false;    // twice is once: neither writes nor calls anything volatile
    bool queues = true;         // writes on several nodes, one such statement at a time
    bool sets_tag = false;      // its rows count in the command's tag
    bool binary = false;        // results in binary
    bool few_rows = false;      // so few that they may come as one result
    bool several = false;       // other fragments of the same statement: one snapshot for all
    bool counts_rows = true;    // false: every node changes the same rows (a reference table)
    Oid key_type = InvalidOid;  // of the key expression
    Oid key_collation = InvalidOid;
    Oid role = InvalidOid;   // whose rights the nodes apply, when not the user's (a view's owner)
    ::List* sort = nullptr;  // of SortColumn, each as a list of four integers: the order of rows
    ::List* relations = nullptr;  // names for EXPLAIN
};

// A number that no other plan of this backend has.
uint64 new_plan_id();

// The number under which the nodes keep a text prepared: 0 for one that is run the first time, and
// may never come again.
uint64 number_if_repeated(uint64 plan_id);

// custom_private of a CustomScan, and back.
::List* to_list(const RemotePlan& plan);
RemotePlan from_list(const ::List* list);

// custom_exprs: the key expression (if there is one), then the parameters of the text.
::List* expressions_of(const RemotePlan& plan, ::Node* key, ::List* parameters);

}  // namespace herd::executor
