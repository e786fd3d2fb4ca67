// One utility statement on its way: what is noted before PostgreSQL runs it here, and what follows.
//
// Here first, then on all nodes at once: the locks taken here keep every routed statement off the
// table, so nodes never meet two definitions. An error anywhere aborts the transaction everywhere.
// Statements that can't run in a transaction go node by node (maintenance.hpp).
//
// A statement run by an event trigger finishes inside its outer statement's run; what it has for
// the nodes waits until the outer one's text has been sent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "ddl/column_fill.hpp"
#include "ddl/maintenance.hpp"
#include "ddl/nodes.hpp"
#include "ddl/object_log.hpp"
#include "ddl/statement_kind.hpp"
#include "ddl/targets.hpp"

namespace herd::ddl {

class DdlStatement {
public:
    DdlStatement(const ::PlannedStmt* planned, const char* query_string,
                 ::ProcessUtilityContext context);

    // Before the local run; throws what is refused.
    void prepare();
    // After it.
    void finish();

    // Statements that run inside go to the standard planner.
    [[nodiscard]] bool is_local_only() const { return local_only_; }
    // The statement that PostgreSQL runs here: the user's, unless a part of it has to differ.
    [[nodiscard]] ::PlannedStmt* planned() const { return planned_; }

    ObjectLog log;
    DdlStatement* outer = nullptr;
    std::vector<Script> waiting;  // of statements inside

private:
    void note_partitions();
    void note_targets();
    void note_work();
    bool note_herd_again();
    [[nodiscard]] bool is_definition() const;
    [[nodiscard]] Scope scope_after() const;
    [[nodiscard]] std::string node_text();
    [[nodiscard]] std::string definition_text();
    void send_text(const std::string& text, bool replica, bool writes);
    void deliver(Script script);
    void send_per_database();
    void finish_maintenance();
    void finish_constraints();
    void finish_alone();
    void finish_definition();

    ::PlannedStmt* planned_;
    ::Node* statement_;
    const char* query_string_;
    ::ProcessUtilityContext context_;
    Kind kind_;
    std::vector<NodeId> nodes_;  // where it goes; empty: nowhere
    std::string text_;           // as the user wrote it
    std::string drop_text_;      // what is left of a DROP's list
    std::string search_path_;
    Maintenance maintenance_;
    ColumnFill column_fill_;
    Scope scope_ = Scope::kEverywhere;
    std::vector<::Oid> targets_;
    const catalog::Catalog* herd_ = nullptr;  // not after statements with transactions of their own
    std::optional<catalog::Table> detached_;
    ::Oid attached_ = InvalidOid;
    bool coordinator_ = false;
    bool local_only_ = false;
};

// The setting herd.enable_ddl_propagation.
bool propagation_enabled();
void initialize_ddl_statement();

}  // namespace herd::ddl
