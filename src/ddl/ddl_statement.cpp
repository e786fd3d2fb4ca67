#include "ddl/ddl_statement.hpp"

#include "base/error.hpp"
#include "ddl/aftermath.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/gather_statistics.hpp"
#include "ddl/node_text.hpp"
#include "ddl/refusals.hpp"
#include "ddl/source_text.hpp"
#include "ddl/statement_objects.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/dbcommands.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

namespace {

bool enable_propagation = true;

// So that no definition falls between the copy of the schema that a new node gets and its place in
// the list.
void lock_node_list() {
    if (!::RecoveryInProgress()) {
        transaction::lock_membership_shared();
    }
}

Oid find_relation(const ::RangeVar* name) {
    return pg::call([&] { return RangeVarGetRelid(name, NoLock, true); });
}

// The database that the statement names; empty for none.
std::string database_of(const ::Node* statement) {
    const ::Node* object = nullptr;
    switch (nodeTag(statement)) {
        case T_AlterDatabaseSetStmt:
            return as<::AlterDatabaseSetStmt>(statement)->dbname;
        case T_GrantStmt: {
            const ::List* objects = as<::GrantStmt>(statement)->objects;
            object =
                list_length(objects) == 1 ? static_cast<const ::Node*>(linitial(objects)) : nullptr;
            break;
        }
        case T_CommentStmt:
            object = as<::CommentStmt>(statement)->object;
            break;
        case T_SecLabelStmt:
            object = as<::SecLabelStmt>(statement)->object;
            break;
        case T_AlterOwnerStmt:
            object = as<::AlterOwnerStmt>(statement)->object;
            break;
        default:
            break;
    }
    return object != nullptr && IsA(object, String)
               ? reinterpret_cast<const ::String*>(object)->sval
               : "";
}

}  // namespace

bool propagation_enabled() {
    return enable_propagation;
}

DdlStatement::DdlStatement(const ::PlannedStmt* planned, const char* query_string,
                           ::ProcessUtilityContext context)
    : planned_(const_cast<::PlannedStmt*>(planned)),
      // PostgreSQL may change the tree while it runs the statement.
      statement_(
          pg::call([&] { return static_cast<::Node*>(copyObjectImpl(planned->utilityStmt)); })),
      query_string_(query_string),
      context_(context),
      kind_(kind_of(planned->utilityStmt)) {}

bool DdlStatement::is_definition() const {
    return kind_ < Kind::kTruncate;
}

void DdlStatement::prepare() {
    herd_ = catalog::current();
    if (herd_ == nullptr) {
        return;
    }
    local_only_ = runs_own_queries(statement_);
    coordinator_ = herd_->is_coordinator() && !transaction::is_internal_session();
    if (coordinator_ && is_definition() && !is_here_alone(statement_)) {
        lock_node_list();
        herd_ = catalog::current();
    }
    note_partitions();
    if (!coordinator_) {
        return;
    }
    note_targets();
    refuse_before(*herd_, statement_);
    if (!enable_propagation) {
        return;
    }
    text_ = statement_text(planned_, query_string_);
    search_path_ = current_search_path();
    nodes_ = herd_->other_nodes();
    if (nodes_.empty()) {
        return;
    }
    if (IsA(statement_, AlterTableStmt)) {
        const auto* alter = as<::AlterTableStmt>(statement_);
        column_fill_ = plan_column_fill(*herd_, alter);
    }
    note_work();
}

void DdlStatement::note_work() {
    if (kind_ == Kind::kDrop) {
        drop_text_ = drop_text(as<::DropStmt>(statement_), text_);
        scope_ = drop_text_.empty()    ? Scope::kHere
                 : drop_text_ == text_ ? scope_before(statement_)
                                       : Scope::kEverywhere;
    } else if (is_definition()) {
        scope_ = scope_before(statement_);
    } else {
        bool in_block =
            context_ != PROCESS_UTILITY_TOPLEVEL || ::IsTransactionBlock() || ::IsSubTransaction();
        maintenance_ = plan_maintenance(*herd_, kind_, statement_, text_, in_block);
    }
}

// Partitions that come and go, as they stand before.
void DdlStatement::note_partitions() {
    if (!IsA(statement_, AlterTableStmt)) {
        return;
    }
    const auto* alter = as<::AlterTableStmt>(statement_);
    for (int i = 0; i < list_length(alter->cmds); ++i) {
        const auto* command = static_cast<const ::AlterTableCmd*>(list_nth(alter->cmds, i));
        if (command->subtype != AT_DetachPartition && command->subtype != AT_AttachPartition) {
            continue;
        }
        Oid partition = find_relation(reinterpret_cast<const ::PartitionCmd*>(command->def)->name);
        const catalog::Table* table = herd_->find(partition);
        const catalog::Table* parent = herd_->find(find_relation(alter->relation));
        if (command->subtype == AT_DetachPartition && table != nullptr &&
            table->root != partition) {
            detached_ = *table;
        }
        if (command->subtype == AT_AttachPartition && table != nullptr && parent != nullptr) {
            attached_ = partition;
        }
    }
}

void DdlStatement::note_targets() {
    for (const ::RangeVar* relation : relations_of(statement_)) {
        targets_.push_back(find_relation(relation));
    }
}

// What TRUNCATE and LOCK meet, now that their lock is here: nodes and tables may have come
// meanwhile.
bool DdlStatement::note_herd_again() {
    herd_ = catalog::current();
    if (herd_ == nullptr) {
        return false;
    }
    nodes_ = herd_->other_nodes();
    for (Oid relid : targets_) {
        if (herd_->find(relid) != nullptr) {
            return true;
        }
    }
    return false;
}

// For what makes a relation, its schema is known only afterwards.
Scope DdlStatement::scope_after() const {
    if (scope_ == Scope::kHere || !targets_.empty()) {
        return scope_;
    }
    Scope made = scope_of_created(log);
    if (made != Scope::kMissing) {
        return made;
    }
    if (IsA(statement_, ViewStmt)) {
        const ::RangeVar* view = as<::ViewStmt>(statement_)->view;
        return scope_of_relation(pg::call([&] {
            return ::get_relname_relid(view->relname, ::RangeVarGetCreationNamespace(view));
        }));
    }
    return scope_;
}

std::string DdlStatement::node_text() {
    switch (kind_) {
        case Kind::kDrop:
            return drop_text_;
        case Kind::kTableAs:
            return table_as_text(made_by(statement_), log);
        case Kind::kExtension:
            return extension_text(statement_, text_, log);
        case Kind::kRole:
            return role_text(statement_, with_session_names(statement_, text_));
        case Kind::kDefinition:
            return definition_text();
        case Kind::kEventTrigger:
            return event_trigger_text(as<::CreateEventTrigStmt>(statement_), text_);
        case Kind::kSecurityLabel:
            return security_label_text(text_);
        default:
            return text_;
    }
}

std::string DdlStatement::definition_text() {
    std::string text = column_fill_text(column_fill_, with_session_names(statement_, text_));
    return settings_from_current(statement_) + with_computed_bound(statement_, text, log);
}

void DdlStatement::deliver(Script script) {
    if (outer != nullptr) {
        script.level = ::GetCurrentTransactionNestLevel();
        outer->waiting.push_back(std::move(script));
    } else {
        send(script);
    }
}

void DdlStatement::send_text(const std::string& text, bool replica, bool writes) {
    if (!text.empty() && !nodes_.empty()) {
        Script script;
        script.nodes = nodes_;
        script.search_path = search_path_;
        script.text = text;
        script.replica = replica;
        script.writes = writes;
        deliver(std::move(script));
    }
}

void DdlStatement::send_per_database() {
    std::string here = pg::call([] { return ::get_database_name(MyDatabaseId); });
    if (database_of(statement_) != here) {
        return;
    }
    std::string text = settings_from_current(statement_) + with_session_names(statement_, text_);
    for (NodeId node : nodes_) {
        Script script;
        script.nodes = {node};
        script.search_path = search_path_;
        script.text = with_database(text, here, herd_->node(node)->primary.dbname);
        deliver(std::move(script));
    }
}

void DdlStatement::finish_definition() {
    pg::call([] { ::CommandCounterIncrement(); });
    forget_dropped(*herd_, log);
    if (detached_) {
        keep_detached(*detached_);
    }
    if (OidIsValid(attached_)) {
        forget_attached(attached_);
    }
    if (coordinator_) {
        check_touched(log, targets_);
    }
    if (nodes_.empty()) {
        return;
    }
    if (kind_ == Kind::kDatabase) {
        send_per_database();
    } else if (scope_after() == Scope::kEverywhere) {
        refuse_like(statement_);
        // Values that fill a column are no change that triggers are for.
        send_text(node_text(), column_fill_.way == ColumnFill::Way::kValues, true);
    }
}

void DdlStatement::finish() {
    if (herd_ == nullptr) {
        return;
    }
    if (is_definition()) {
        finish_definition();
    } else if (!text_.empty()) {
        finish_maintenance();
    }
    for (Script& script : waiting) {
        deliver(std::move(script));
    }
    waiting.clear();
}

void DdlStatement::finish_maintenance() {
    switch (kind_) {
        case Kind::kTruncate:
            if (note_herd_again()) {
                // Triggers have fired here, for the whole table.
                const auto* truncate = as<::TruncateStmt>(statement_);
                send_text(truncate_text(truncate, text_), true, true);
            }
            break;
        case Kind::kLock:
            if (note_herd_again()) {
                send_text(text_, false, false);
            }
            break;
        case Kind::kConstraints:
            finish_constraints();
            break;
        default:
            finish_alone();
            break;
    }
}

// Deferred constraints of this transaction's part on every node.
void DdlStatement::finish_constraints() {
    const ::List* names = as<::ConstraintsSetStmt>(statement_)->constraints;
    bool of_herd = names == NIL && !herd_->tables.empty();
    for (int i = 0; i < list_length(names); ++i) {
        const auto* name = static_cast<const ::RangeVar*>(list_nth(names, i));
        for (const pg::Row& row : catalog_query(
                 "SELECT conrelid FROM pg_constraint WHERE conname = $1", {name->relname})) {
            of_herd = of_herd || herd_->find(static_cast<Oid>(std::stoul(*row[0]))) != nullptr;
        }
    }
    if (of_herd && ::IsTransactionBlock()) {
        send_text(text_, false, false);
    }
}

void DdlStatement::finish_alone() {
    if (kind_ == Kind::kIndexConcurrently) {
        complete_index(maintenance_, log);
    }
    if (maintenance_.text.empty()) {
        return;
    }
    if (maintenance_.in_transaction) {
        send_text(maintenance_.text, false, true);
        gather_statistics(*catalog::current(), maintenance_.analyzed);
        return;
    }
    NodeByNode work{{}, search_path_, maintenance_.what, maintenance_.remedy};
    std::string here = pg::call([] { return ::get_database_name(MyDatabaseId); });
    const catalog::Catalog& herd = *catalog::current();
    for (NodeId node : nodes_) {
        const catalog::NodeEntry* entry = herd.node(node);
        if (entry != nullptr) {
            work.commands.push_back(
                {node, with_database(maintenance_.text, here, entry->primary.dbname)});
        }
    }
    run_node_by_node(work);
    gather_statistics(*catalog::current(), maintenance_.analyzed);
}

void initialize_ddl_statement() {
    ::DefineCustomBoolVariable("herd.enable_ddl_propagation",
                               "Runs definitions on every node of the herd.",
                               "Off: they change this server alone, for repairs by hand.",
                               &enable_propagation, true, PGC_SUSET, 0, nullptr, nullptr, nullptr);
}

}  // namespace herd::ddl
