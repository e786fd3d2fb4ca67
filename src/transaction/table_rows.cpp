#include "transaction/table_rows.hpp"

#include <algorithm>
#include <cstring>

#include "pg/local_only.hpp"
#include "pg/ownership_filter.hpp"
#include "pg/spi.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/table.h"
#include "access/xact.h"
#include "commands/copy.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace herd::transaction {

namespace {

constexpr long kRowsAtOnce = 1000;

struct Columns {
    std::string table;
    std::string list;  // separated by commas; generated columns are computed where the row arrives
};

Columns columns_of(Oid relation) {
    pg::Rows rows = pg::query(
        "SELECT $1::oid::regclass::text, string_agg(quote_ident(attname), ', ' ORDER BY attnum) "
        "FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = ''",
        {std::to_string(relation)});
    return {rows[0][0].value_or(""), rows[0][1].value_or("")};
}

std::string copy_command(const Columns& columns) {
    return "COPY " + columns.table + (columns.list.empty() ? "" : " (" + columns.list + ")") +
           " FROM STDIN";
}

// A field of COPY's text format. Any byte above 127 passes: the encoding is the same on both sides.
void append_escaped(::StringInfo line, const char* text) {
    for (; *text != '\0'; ++text) {
        switch (*text) {
            case '\\':
                appendStringInfoString(line, "\\\\");
                break;
            case '\n':
                appendStringInfoString(line, "\\n");
                break;
            case '\r':
                appendStringInfoString(line, "\\r");
                break;
            case '\t':
                appendStringInfoString(line, "\\t");
                break;
            default:
                appendStringInfoCharMacro(line, *text);
        }
    }
}

void append_row(::StringInfo lines, ::HeapTuple tuple, ::TupleDesc description) {
    for (int i = 1; i <= description->natts; ++i) {
        if (i > 1) {
            appendStringInfoCharMacro(lines, '\t');
        }
        char* text = ::SPI_getvalue(tuple, description, i);
        if (text == nullptr) {
            ::appendStringInfoString(lines, "\\N");
        } else {
            append_escaped(lines, text);
            ::pfree(text);
        }
    }
    appendStringInfoCharMacro(lines, '\n');
}

// This server's rows as COPY lines, in batches. A newer snapshot than the statement's own, which
// may be older than the lock on the table.
class LocalRows {
public:
    explicit LocalRows(const Columns& columns) {
        std::string sql = "SELECT " + columns.list + " FROM " + columns.table;
        pg::call([&] {
            ::SPI_connect();
            ::PushActiveSnapshot(::GetLatestSnapshot());
            portal_ = ::SPI_cursor_open_with_args(nullptr, sql.c_str(), 0, nullptr, nullptr,
                                                  nullptr, true, CURSOR_OPT_NO_SCROLL);
            ::initStringInfo(&lines_);
        });
    }
    void finish() {
        pg::call([&] {
            ::SPI_cursor_close(portal_);
            ::PopActiveSnapshot();
            ::SPI_finish();
        });
    }
    // The next batch; no rows at the end.
    std::uint64_t fetch() {
        return pg::call([&] {
            ::resetStringInfo(&lines_);
            ::SPI_cursor_fetch(portal_, true, kRowsAtOnce);
            std::uint64_t count = SPI_processed;
            for (std::uint64_t i = 0; i < count; ++i) {
                append_row(&lines_, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
            }
            ::SPI_freetuptable(SPI_tuptable);
            return count;
        });
    }
    [[nodiscard]] const char* data() const { return lines_.data; }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(lines_.len); }

private:
    ::Portal portal_ = nullptr;
    ::StringInfoData lines_{};
};

std::uint64_t relay(const Columns& columns, const std::vector<NodeId>& nodes) {
    LocalRows rows(columns);
    std::uint64_t total = 0;
    while (std::uint64_t count = rows.fetch()) {
        total += count;
        for (NodeId node : nodes) {
            link_to(node).connection().put_copy_data(rows.data(), rows.size());
        }
        pg::check_interrupts();
    }
    rows.finish();
    return total;
}

// This session's triggers and foreign keys are off while it is alive.
class AsReplica {
public:
    AsReplica() {
        level_ = ::NewGUCNestLevel();
        pg::call([] {
            ::set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
                                GUC_ACTION_SAVE, true, 0, false);
        });
    }
    void finish() {
        pg::call([&] { ::AtEOXact_GUC(true, level_); });
    }

private:
    int level_ = 0;
};

constexpr const char* kBeReplica = "SET LOCAL session_replication_role = replica";
constexpr const char* kBeOrigin = "SET LOCAL session_replication_role = origin";

// Rows that a link delivers, as COPY lines: the source of CopyFrom, which calls back without an
// argument.
struct ArrivingRows {
    Link* link = nullptr;
    std::string lines;
    std::size_t taken = 0;
    bool ended = false;

    void refill();
    int take(void* buffer, int most);
};

ArrivingRows* arriving = nullptr;

void append_field(std::string& lines, const char* text) {
    for (; *text != '\0'; ++text) {
        switch (*text) {
            case '\\':
                lines += "\\\\";
                break;
            case '\n':
                lines += "\\n";
                break;
            case '\r':
                lines += "\\r";
                break;
            case '\t':
                lines += "\\t";
                break;
            default:
                lines += *text;
        }
    }
}

void ArrivingRows::refill() {
    constexpr std::size_t kEnough = 64 * 1024;
    lines.clear();
    taken = 0;
    while (!ended && lines.size() < kEnough) {
        remote::Result result = link->receive();
        if (!result) {
            ended = true;
            return;
        }
        for (int row = 0; row < ::PQntuples(result.get()); ++row) {
            for (int column = 0; column < ::PQnfields(result.get()); ++column) {
                lines += column > 0 ? "\t" : "";
                if (::PQgetisnull(result.get(), row, column) != 0) {
                    lines += "\\N";
                } else {
                    append_field(lines, ::PQgetvalue(result.get(), row, column));
                }
            }
            lines += '\n';
        }
    }
}

int ArrivingRows::take(void* buffer, int most) {
    if (taken == lines.size()) {
        refill();
    }
    std::size_t size = std::min(static_cast<std::size_t>(most), lines.size() - taken);
    std::memcpy(buffer, lines.data() + taken, size);
    taken += size;
    return static_cast<int>(size);
}

int feed_copy(void* buffer, int, int most) {
    return pg::enter("fetch rows", [&] { return arriving->take(buffer, most); });
}

std::uint64_t copy_into(Oid relation, ArrivingRows& source) {
    arriving = &source;
    std::uint64_t rows = pg::call([&] {
        ::Relation rel = ::table_open(relation, RowExclusiveLock);
        ::List* names = NIL;
        for (int i = 0; i < RelationGetNumberOfAttributes(rel); ++i) {
            Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel), i);
            if (!column->attisdropped && column->attgenerated == '\0') {
                names = ::lappend(names, ::makeString(::pstrdup(NameStr(column->attname))));
            }
        }
        ::ParseState* state = ::make_parsestate(nullptr);
        ::ParseNamespaceItem* item =
            ::addRangeTableEntryForRelation(state, rel, RowExclusiveLock, nullptr, false, false);
        ::addNSItemToQuery(state, item, false, false, false);
        ::CopyFromState copy =
            ::BeginCopyFrom(state, rel, nullptr, nullptr, false, feed_copy, names, NIL);
        std::uint64_t count = ::CopyFrom(copy);
        ::EndCopyFrom(copy);
        ::table_close(rel, NoLock);
        ::CommandCounterIncrement();
        return count;
    });
    arriving = nullptr;
    return rows;
}

}  // namespace

std::uint64_t send_rows(catalog::Oid relation, const std::vector<NodeId>& nodes) {
    if (nodes.empty()) {
        return 0;
    }
    pg::AsOwner owner;
    pg::LocalOnly local;
    Columns columns = columns_of(relation);
    run_on(nodes, kBeReplica);
    std::size_t begun = 0;
    std::uint64_t total = 0;
    try {
        for (; begun < nodes.size(); ++begun) {
            link_to(nodes[begun]).begin_copy(copy_command(columns));
        }
        total = relay(columns, nodes);
        for (NodeId node : nodes) {
            link_to(node).finish_copy();
        }
    } catch (...) {
        for (std::size_t i = 0; i < begun; ++i) {
            link_to(nodes[i]).cancel_copy();
        }
        throw;
    }
    run_on(nodes, kBeOrigin);
    return total;
}

std::uint64_t fetch_rows(catalog::Oid relation, NodeId node) {
    pg::AsOwner owner;
    pg::LocalOnly local;
    Columns columns = columns_of(relation);
    run(node, kBeReplica);
    std::string sql = "SELECT " + columns.list + " FROM " + columns.table;
    Statement statement;
    statement.text = sql.c_str();
    statement.writes = true;
    ArrivingRows source;
    source.link = &link_to(node);
    source.link->send(statement, nullptr);
    AsReplica replica;
    std::uint64_t rows = copy_into(relation, source);
    replica.finish();
    run(node, pg::kEveryRowMark + ("DELETE FROM " + columns.table));
    run(node, kBeOrigin);
    return rows;
}

}  // namespace herd::transaction
