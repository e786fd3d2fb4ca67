#include "ddl/statement_kind.hpp"

#include "ddl/statement_objects.hpp"

namespace herd::ddl {

namespace {

Kind kind_of_alter_table(const ::AlterTableStmt* statement) {
    for (int i = 0; i < list_length(statement->cmds); ++i) {
        const auto* command = static_cast<const ::AlterTableCmd*>(list_nth(statement->cmds, i));
        if (command->subtype == AT_DetachPartition &&
            reinterpret_cast<const ::PartitionCmd*>(command->def)->concurrent) {
            return Kind::kDetachConcurrently;
        }
        if (command->subtype == AT_DetachPartitionFinalize) {
            return Kind::kDetachConcurrently;
        }
    }
    return is_server_object(statement->objtype) ? Kind::kOther : Kind::kDefinition;
}

// Statements that name objects of any kind.
Kind kind_by_object(const ::Node* statement, Kind usual) {
    ::ObjectType type = object_type_of(statement);
    if (is_server_object(type)) {
        return Kind::kOther;
    }
    return type == OBJECT_DATABASE ? Kind::kDatabase : usual;
}

Kind kind_of_rename(const ::RenameStmt* statement) {
    if (statement->renameType == OBJECT_DATABASE || is_server_object(statement->relationType)) {
        return Kind::kOther;
    }
    return kind_by_object(reinterpret_cast<const ::Node*>(statement), Kind::kDefinition);
}

Kind kind_of_grant(const ::GrantStmt* statement) {
    return kind_by_object(reinterpret_cast<const ::Node*>(statement), Kind::kDefinition);
}

Kind kind_of_comment(const ::Node* statement) {
    return kind_by_object(statement, Kind::kDefinition);
}

Kind kind_of_drop(const ::DropStmt* statement) {
    Kind kind = kind_by_object(reinterpret_cast<const ::Node*>(statement), Kind::kDrop);
    return kind == Kind::kDrop && statement->concurrent ? Kind::kDropConcurrently : kind;
}

// Definitions whose text goes to the nodes as it is.
bool is_plain_definition(::NodeTag tag) {
    switch (tag) {
        case T_CreateStmt:
        case T_CreateSchemaStmt:
        case T_AlterDomainStmt:
        case T_GrantRoleStmt:
        case T_AlterDefaultPrivilegesStmt:
        case T_DefineStmt:
        case T_CreateFunctionStmt:
        case T_AlterFunctionStmt:
        case T_RuleStmt:
        case T_ViewStmt:
        case T_CreateDomainStmt:
        case T_CreateSeqStmt:
        case T_AlterSeqStmt:
        case T_CreateTrigStmt:
        case T_CreatePLangStmt:
        case T_DropRoleStmt:
        case T_CreateConversionStmt:
        case T_CreateCastStmt:
        case T_CreateOpClassStmt:
        case T_CreateOpFamilyStmt:
        case T_AlterOpFamilyStmt:
        case T_AlterRoleSetStmt:
        case T_CreateEnumStmt:
        case T_AlterEnumStmt:
        case T_CompositeTypeStmt:
        case T_CreateRangeStmt:
        case T_AlterOperatorStmt:
        case T_AlterTypeStmt:
        case T_DropOwnedStmt:
        case T_ReassignOwnedStmt:
        case T_CreateStatsStmt:
        case T_AlterStatsStmt:
        case T_AlterTSDictionaryStmt:
        case T_AlterTSConfigurationStmt:
        case T_CreatePolicyStmt:
        case T_AlterPolicyStmt:
        case T_CreateTransformStmt:
        case T_CreateAmStmt:
        case T_AlterCollationStmt:
            return true;
        default:
            return false;
    }
}

// EXPLAIN ANALYZE CREATE TABLE AS makes the table.
Kind kind_of_explain(const ::ExplainStmt* statement) {
    return made_by(reinterpret_cast<const ::Node*>(statement)) != nullptr ? Kind::kTableAs
                                                                          : Kind::kOther;
}

Kind kind_of_maintenance(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_TruncateStmt:
            return Kind::kTruncate;
        case T_LockStmt:
            return Kind::kLock;
        case T_ConstraintsSetStmt:
            return Kind::kConstraints;
        case T_VacuumStmt:
            return Kind::kVacuum;
        case T_ClusterStmt:
            return Kind::kCluster;
        case T_ReindexStmt:
            return Kind::kReindex;
        case T_TransactionStmt:
            return Kind::kTransaction;
        default:
            return Kind::kOther;
    }
}

}  // namespace

Kind kind_of(const ::Node* statement) {
    if (is_plain_definition(nodeTag(statement))) {
        return Kind::kDefinition;
    }
    switch (nodeTag(statement)) {
        case T_AlterTableStmt:
            return kind_of_alter_table(as<::AlterTableStmt>(statement));
        case T_IndexStmt:
            return as<::IndexStmt>(statement)->concurrent ? Kind::kIndexConcurrently
                                                          : Kind::kDefinition;
        case T_DropStmt:
            return kind_of_drop(as<::DropStmt>(statement));
        case T_RenameStmt:
            return kind_of_rename(as<::RenameStmt>(statement));
        case T_GrantStmt:
            return kind_of_grant(as<::GrantStmt>(statement));
        case T_CommentStmt:
            return kind_of_comment(statement);
        case T_SecLabelStmt:
            return kind_by_object(statement, Kind::kSecurityLabel);
        case T_AlterOwnerStmt:
        case T_AlterObjectSchemaStmt:
        case T_AlterObjectDependsStmt:
            return kind_by_object(statement, Kind::kDefinition);
        case T_CreateTableAsStmt:
            return Kind::kTableAs;
        case T_ExplainStmt:
            return kind_of_explain(as<::ExplainStmt>(statement));
        case T_CreateExtensionStmt:
        case T_AlterExtensionStmt:
        case T_AlterExtensionContentsStmt:
            return Kind::kExtension;
        case T_CreateRoleStmt:
        case T_AlterRoleStmt:
            return Kind::kRole;
        case T_AlterDatabaseSetStmt:
            return Kind::kDatabase;
        case T_CreateEventTrigStmt:
            return Kind::kEventTrigger;
        default:
            return kind_of_maintenance(statement);
    }
}

bool runs_own_queries(const ::Node* statement) {
    if (IsA(statement, CreateStmt)) {
        return true;
    }
    if (!IsA(statement, AlterTableStmt)) {
        return false;
    }
    const ::List* commands = as<::AlterTableStmt>(statement)->cmds;
    for (int i = 0; i < list_length(commands); ++i) {
        const auto* command = static_cast<const ::AlterTableCmd*>(list_nth(commands, i));
        switch (command->subtype) {
            case AT_AddColumn:
            case AT_AddConstraint:
            case AT_ValidateConstraint:
            case AT_AttachPartition:
            case AT_DetachPartition:
            case AT_AlterColumnType:
                return true;
            default:
                break;
        }
    }
    return false;
}

bool nests(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_TransactionStmt:
        case T_ExecuteStmt:
        case T_ExplainStmt:
        case T_PrepareStmt:
        case T_DeclareCursorStmt:
        case T_FetchStmt:
        case T_CopyStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
            return false;
        default:
            return true;
    }
}

}  // namespace herd::ddl
