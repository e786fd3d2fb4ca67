#include "failover/in_doubt.hpp"

namespace herd {

Verdict judge(const PreparedTransaction& prepared, const Decider& decider, TransactionStatus status,
              bool recorded) {
    if (prepared.id.cluster_id != decider.cluster_id) {
        return Verdict::kNotOurs;
    }
    // Coordinators of different terms may have used the same number for different transactions.
    if (prepared.id.term != decider.term) {
        return Verdict::kUndecidable;
    }
    if (status == TransactionStatus::kInProgress || prepared.age_ms < kSessionsOwnMs) {
        return Verdict::kLeave;
    }
    if (recorded) {
        return Verdict::kCommit;
    }
    bool of_this_run = prepared.id.run == decider.run;
    if (status == TransactionStatus::kUnknown ||
        (status == TransactionStatus::kNotGiven && of_this_run)) {
        return Verdict::kUndecidable;
    }
    // In an earlier run the number may have been another transaction's, lost in the crash.
    bool committed = status == TransactionStatus::kCommitted && of_this_run;
    return committed ? Verdict::kCommit : Verdict::kRollBack;
}

const char* word_for(Verdict verdict) {
    switch (verdict) {
        case Verdict::kNotOurs:
            return "not ours";
        case Verdict::kLeave:
            return "in progress";
        case Verdict::kCommit:
            return "committing";
        case Verdict::kRollBack:
            return "rolling back";
        case Verdict::kUndecidable:
            break;
    }
    return "undecidable";
}

}  // namespace herd
