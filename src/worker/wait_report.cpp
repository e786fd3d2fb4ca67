#include "worker/wait_report.hpp"

#include <cstdlib>

namespace herd::worker {

namespace {

// Times are microseconds. Locks of a prepared transaction have no process, but all of them, the one
// on its own number too, have the virtual transaction that it once was. A name stands for a
// relation of this database only.
constexpr const char* kQuestion = R"(
WITH waiting AS MATERIALIZED (
    SELECT l.*, pg_blocking_pids(l.pid) AS blockers,
           CASE WHEN l.relation IS NULL THEN ''
                WHEN d.oid = l.database OR l.database = 0 THEN l.relation::regclass::text
                ELSE l.relation || ' of database ' || l.database END AS relation_name
    FROM pg_locks l, pg_database d
    WHERE NOT l.granted AND l.pid IS NOT NULL AND d.datname = current_database()),
seen AS (
    SELECT pid FROM waiting
    UNION SELECT unnest(blockers) FROM waiting
    UNION SELECT a.leader_pid FROM waiting JOIN pg_stat_activity a USING (pid))
SELECT a.pid, coalesce(a.leader_pid, 0),
       coalesce((extract(epoch FROM w.waitstart) * 1000000)::int8, 0), w.mode,
       CASE w.locktype
           WHEN 'relation' THEN 'relation ' || w.relation_name
           WHEN 'extend' THEN 'extension of relation ' || w.relation_name
           WHEN 'page' THEN 'page ' || w.page || ' of relation ' || w.relation_name
           WHEN 'tuple' THEN 'tuple (' || w.page || ',' || w.tuple || ') of relation '
                             || w.relation_name
           WHEN 'transactionid' THEN 'transaction ' || w.transactionid
           WHEN 'virtualxid' THEN 'virtual transaction ' || w.virtualxid
           WHEN 'advisory' THEN 'advisory lock [' || w.classid || ',' || w.objid || ','
                                || w.objsubid || ']'
           WHEN 'object' THEN 'object ' || w.objid || ' of class ' || w.classid
           ELSE w.locktype END,
       w.blockers::text,
       CASE WHEN 0 = ANY (w.blockers) THEN (
           SELECT string_agg(h.mode || ' ' || p.gid, chr(10))
           FROM pg_locks h JOIN pg_locks x USING (virtualtransaction)
               JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
           WHERE h.granted AND h.pid IS NULL
             AND x.granted AND x.pid IS NULL AND x.locktype = 'transactionid'
             AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid,
                  h.transactionid, h.classid, h.objid, h.objsubid)
                 IS NOT DISTINCT FROM
                 (w.locktype, w.database, w.relation, w.page, w.tuple, w.virtualxid,
                  w.transactionid, w.classid, w.objid, w.objsubid)) END,
       a.state LIKE 'idle in transaction%',
       coalesce((extract(epoch FROM a.state_change) * 1000000)::int8, 0),
       a.wait_event_type = 'IPC', left(a.query, 200)
FROM seen JOIN pg_stat_activity a USING (pid) LEFT JOIN waiting w USING (pid))";

std::int64_t number(const pg::Field& field) {
    return field ? std::strtoll(field->c_str(), nullptr, 10) : 0;
}

bool flag(const pg::Field& field) {
    return field == "t";
}

// The text of an array of numbers: {12,0,7}.
std::vector<int> numbers(const pg::Field& field) {
    std::vector<int> found;
    const char* rest = field ? field->c_str() : "";
    while (*rest == '{' || *rest == ',') {
        char* end = nullptr;
        found.push_back(static_cast<int>(std::strtol(rest + 1, &end, 10)));
        rest = end;
    }
    return found;
}

std::vector<PreparedHolder> holders(const pg::Field& field) {
    std::vector<PreparedHolder> found;
    std::string text = field.value_or("");
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = std::min(text.find('\n', begin), text.size());
        std::size_t space = std::min(text.find(' ', begin), end);
        found.push_back({text.substr(std::min(space + 1, end), end - std::min(space + 1, end)),
                         text.substr(begin, space - begin)});
        begin = end + 1;
    }
    return found;
}

}  // namespace

const char* wait_question() {
    return kQuestion;
}

std::vector<ServerProcess> read_wait_report(const pg::Rows& rows) {
    std::vector<ServerProcess> processes;
    for (const pg::Row& row : rows) {
        ServerProcess process;
        process.pid = static_cast<int>(number(row[0]));
        process.leader = static_cast<int>(number(row[1]));
        process.waits_since = number(row[2]);
        process.mode = row[3].value_or("");
        process.lock = row[4].value_or("");
        process.blockers = numbers(row[5]);
        process.prepared = holders(row[6]);
        process.idle = flag(row[7]);
        process.state_since = number(row[8]);
        process.waits_for_workers = flag(row[9]);
        process.statement = row[10].value_or("");
        processes.push_back(std::move(process));
    }
    return processes;
}

}  // namespace herd::worker
